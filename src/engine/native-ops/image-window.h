// What convolutions read of an image [height, width, channels]: a rectangle that may reach into the padding around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

namespace softshard {

struct Image {
  const float* data;
  int64_t height, width, channels;

  // Writes rows [top, top + rows) and columns [left, left + columns) to `to`, zeros where there is no image.
  void copyWindow(int64_t top, int64_t left, int64_t rows, int64_t columns, float* to) const {
    const int64_t first = std::min(std::max<int64_t>(0, -left), columns);
    const int64_t last = std::max(first, std::min(columns, width - left));
    for (int64_t y = top; y < top + rows; y++, to += columns * channels) {
      if (y < 0 || y >= height) {
        std::fill(to, to + columns * channels, 0.0f);
        continue;
      }
      std::fill(to, to + first * channels, 0.0f);
      if (last > first)
        std::memcpy(to + first * channels, data + (y * width + left + first) * channels,
                    (last - first) * channels * sizeof(float));
      std::fill(to + last * channels, to + columns * channels, 0.0f);
    }
  }

  bool holds(int64_t top, int64_t left, int64_t rows, int64_t columns) const {
    return top >= 0 && left >= 0 && top + rows <= height && left + columns <= width;
  }
};

// Floats without initial value.
inline std::unique_ptr<float[]> floats(int64_t size) { return std::unique_ptr<float[]>(new float[size]); }

// Copies rows of `width` floats into rows of `padded`, the rest zeros.
inline void padRows(const float* from, int64_t rows, int64_t width, int64_t padded, float* to) {
  for (int64_t row = 0; row < rows; row++, from += width, to += padded) {
    std::memcpy(to, from, width * sizeof(float));
    std::fill(to + width, to + padded, 0.0f);
  }
}

}  // namespace softshard
