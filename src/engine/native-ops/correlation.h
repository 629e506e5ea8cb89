// The sum that a convolution and its gradient for the input have in common: windows over images, times a filter.
#pragma once

#include <cstdint>

namespace softshard {

struct Correlation {
  const float* input;  // [images, height, width, channels]
  int64_t images, height, width, channels;
  int64_t top, left;  // of the first window, negative in the padding
  int64_t step;       // pixels between neighbouring windows
  int64_t windowRows, windowColumns;
  const float* filter;  // [windowRows, windowColumns, channels, paddedChannels(outputs)]
  const float* bias;    // [paddedChannels(outputs)], or null
  bool silu;
  int64_t rows, columns, outputs;  // of each output image
  float* output;
  int64_t outputImage, outputRow, outputPixel;  // floats between neighbours
};

void correlate(const Correlation& correlation);

}  // namespace softshard
