#include "correlation.h"

#include <algorithm>
#include <vector>

#include "convolution-kernels.h"
#include "image-window.h"
#include "thread-pool.h"

namespace softshard {
namespace {

// What one part reads should stay in a core's cache.
constexpr int64_t kPartFloats = 32768;
constexpr int64_t kLeastParts = 4;  // a thread

WindowBand bandOf(const Correlation& c) {
  WindowBand band{};
  band.windowRows = c.windowRows;
  band.run = c.windowColumns * c.channels;
  band.inputPixel = c.step * c.channels;
  band.filter = c.filter;
  band.bias = c.bias;
  band.silu = c.silu;
  band.channels = paddedChannels(c.outputs);
  band.written = c.outputs;
  band.outputPixel = c.outputPixel;
  band.outputRow = c.outputRow;
  return band;
}

// Windows of one pixel each that follow one another in memory, as do the outputs: all images are one row.
void correlatePixels(const Correlation& c) {
  const int64_t pixels = c.images * c.rows * c.columns;
  const int64_t most = std::max<int64_t>(48, kPartFloats / std::max<int64_t>(1, c.channels));
  const int64_t shared = (pixels + kLeastParts * threadCount() - 1) / (kLeastParts * threadCount());
  const int64_t size = std::min(most, std::max<int64_t>(48, shared));
  eachPart((pixels + size - 1) / size, [&](int64_t part) {
    WindowBand band = bandOf(c);
    band.input = c.input + part * size * band.inputPixel;
    band.output = c.output + part * size * c.outputPixel;
    band.rows = 1;
    band.pixels = std::min(size, pixels - part * size);
    convolutionKernels().windows(band);
  });
}

}  // namespace

void correlate(const Correlation& c) {
  if (c.images == 0) return;
  const bool dense = c.outputRow == c.columns * c.outputPixel && c.outputImage == c.rows * c.outputRow;
  if (c.windowRows == 1 && c.windowColumns == 1 && c.step == 1 && c.top == 0 && c.left == 0 &&
      c.rows == c.height && c.columns == c.width && dense) {
    correlatePixels(c);
    return;
  }
  const int64_t readColumns = (c.columns - 1) * c.step + c.windowColumns;
  const int64_t rowFloats = readColumns * c.channels;
  const int64_t most = std::max<int64_t>(1, (kPartFloats / std::max<int64_t>(1, rowFloats) - c.windowRows) / c.step);
  const int64_t wanted = (kLeastParts * threadCount() + c.images - 1) / c.images;
  const int64_t size = std::min(most, std::max<int64_t>(1, (c.rows + wanted - 1) / wanted));
  const int64_t bands = (c.rows + size - 1) / size;
  eachPart(c.images * bands, [&](int64_t part) {
    const int64_t image = part / bands, first = part % bands * size;
    WindowBand band = bandOf(c);
    band.rows = std::min(size, c.rows - first);
    band.pixels = c.columns;
    band.output = c.output + image * c.outputImage + first * c.outputRow;
    const Image from{c.input + image * c.height * c.width * c.channels, c.height, c.width, c.channels};
    const int64_t top = c.top + first * c.step, readRows = (band.rows - 1) * c.step + c.windowRows;
    if (from.holds(top, c.left, readRows, readColumns)) {
      band.windowRow = c.width * c.channels;
      band.input = from.data + (top * c.width + c.left) * c.channels;
    } else {
      thread_local std::vector<float> scratch;
      if (static_cast<int64_t>(scratch.size()) < readRows * rowFloats) scratch.resize(readRows * rowFloats);
      from.copyWindow(top, c.left, readRows, readColumns, scratch.data());
      band.windowRow = rowFloats;
      band.input = scratch.data();
    }
    band.inputRow = c.step * band.windowRow;
    convolutionKernels().windows(band);
  });
}

}  // namespace softshard
