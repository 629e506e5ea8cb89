// The gradient of a convolution for its filter. Small filters: parts take pixels, each into sums of its own, which are
// then added in order. Large ones: parts take taps of the filter, each over all pixels.
#include <algorithm>
#include <vector>

#include "convolution-kernels.h"
#include "convolution.h"
#include "image-window.h"
#include "thread-pool.h"

namespace softshard {
namespace {

constexpr int64_t kSmallFilter = 32768;  // floats
constexpr int64_t kMostParts = 16;
constexpr int64_t kTapsOfPart = 36;
constexpr int64_t kBandFloats = 32768;

struct Gradient {
  const ConvolutionShape& s;
  const float* x;
  const float* dy;  // [batch, rows, columns, padded]
  int64_t rows, columns, padded, run, bandRows, bands;

  Gradient(const ConvolutionShape& shape, const float* input, const float* outputGradient)
      : s(shape), x(input), dy(outputGradient) {
    rows = s.outputHeight();
    columns = s.outputWidth();
    padded = paddedChannels(s.outputs);
    run = s.filterWidth * s.inputs;
    const int64_t rowFloats = std::max(columns * padded, s.stride * s.width * s.inputs);
    bandRows = std::min(rows, std::max<int64_t>(1, kBandFloats / std::max<int64_t>(1, rowFloats)));
    bands = (rows + bandRows - 1) / bandRows;
  }

  int64_t allBands() const { return s.batch * bands; }

  FilterBand bandOf(int64_t index) const {
    const int64_t image = index / bands, first = index % bands * bandRows;
    FilterBand band{};
    band.inputPixel = s.stride * s.inputs;
    band.channels = band.dyPixel = band.sumPitch = padded;
    band.dyRow = columns * padded;
    band.dy = dy + (image * rows + first) * band.dyRow;
    band.rows = std::min(bandRows, rows - first);
    band.pixels = columns;
    return band;
  }

  Image image(int64_t index) const {
    return {x + index * s.height * s.width * s.inputs, s.height, s.width, s.inputs};
  }
  int64_t readColumns() const { return (columns - 1) * s.stride + s.filterWidth; }

  void addBand(int64_t index, float* sums) const {
    FilterBand band = bandOf(index);
    const Image from = image(index / bands);
    const int64_t top = index % bands * bandRows * s.stride - s.padding;
    const int64_t readRows = (band.rows - 1) * s.stride + s.filterHeight;
    const float* start = from.data + (top * s.width - s.padding) * s.inputs;
    int64_t pitch = s.width * s.inputs;
    if (!from.holds(top, -s.padding, readRows, readColumns())) {
      thread_local std::vector<float> scratch;
      pitch = readColumns() * s.inputs;
      if (static_cast<int64_t>(scratch.size()) < readRows * pitch) scratch.resize(readRows * pitch);
      from.copyWindow(top, -s.padding, readRows, readColumns(), scratch.data());
      start = scratch.data();
    }
    band.inputRow = s.stride * pitch;
    band.taps = run;
    for (int64_t row = 0; row < s.filterHeight; row++) {
      band.input = start + row * pitch;
      band.sums = sums + row * run * padded;
      convolutionKernels().filterSums(band);
    }
  }

  void byPixels(float* sums) const {
    const int64_t size = s.filterHeight * run * padded, all = allBands(), parts = std::min(all, kMostParts);
    const std::unique_ptr<float[]> own = floats(parts * size);
    eachPart(parts, [&](int64_t part) {
      float* const mine = own.get() + part * size;
      std::fill(mine, mine + size, 0.0f);
      for (int64_t band = part * all / parts; band < (part + 1) * all / parts; band++) addBand(band, mine);
    });
    std::copy(own.get(), own.get() + size, sums);
    for (int64_t part = 1; part < parts; part++)
      for (int64_t i = 0; i < size; i++) sums[i] += own[part * size + i];
  }

  void byTaps(float* sums) const {
    const int64_t readRows = (rows - 1) * s.stride + s.filterHeight;
    const bool whole = image(0).holds(-s.padding, -s.padding, readRows, readColumns());
    const int64_t pitch = (whole ? s.width : readColumns()) * s.inputs;
    const int64_t imageFloats = (whole ? s.height : readRows) * pitch;
    std::unique_ptr<float[]> copy;
    if (!whole) {
      copy = floats(s.batch * imageFloats);
      eachPart(s.batch, [&](int64_t n) {
        image(n).copyWindow(-s.padding, -s.padding, readRows, readColumns(), copy.get() + n * imageFloats);
      });
    }
    const float* const start = whole ? x : copy.get();
    const int64_t steps = (run + kTapsOfPart - 1) / kTapsOfPart;
    eachPart(s.filterHeight * steps, [&](int64_t part) {
      const int64_t row = part / steps, first = part % steps * run / steps, last = (part % steps + 1) * run / steps;
      float* const mine = sums + (row * run + first) * padded;
      std::fill(mine, mine + (last - first) * padded, 0.0f);
      for (int64_t index = 0; index < allBands(); index++) {
        FilterBand band = bandOf(index);
        const int64_t top = index % bands * bandRows * s.stride + row;
        band.input = start + index / bands * imageFloats + top * pitch + first;
        band.inputRow = s.stride * pitch;
        band.taps = last - first;
        band.sums = mine;
        convolutionKernels().filterSums(band);
      }
    });
  }
};

}  // namespace

void convolutionFilterGradient(const ConvolutionShape& s, const float* x, const float* dy, float* dFilter) {
  const int64_t taps = s.filterHeight * s.filterWidth * s.inputs, padded = paddedChannels(s.outputs);
  const int64_t pixels = s.batch * s.outputHeight() * s.outputWidth();
  std::unique_ptr<float[]> paddedDy, paddedSums;
  if (pixels == 0) {
    std::fill(dFilter, dFilter + taps * s.outputs, 0.0f);
    return;
  }
  if (padded != s.outputs) {
    paddedDy = floats(pixels * padded);
    const int64_t size = 4096;
    eachPart((pixels + size - 1) / size, [&](int64_t part) {
      const int64_t first = part * size;
      padRows(dy + first * s.outputs, std::min(size, pixels - first), s.outputs, padded,
              paddedDy.get() + first * padded);
    });
    paddedSums = floats(taps * padded);
  }
  const Gradient gradient(s, x, paddedDy != nullptr ? paddedDy.get() : dy);
  float* const sums = paddedSums != nullptr ? paddedSums.get() : dFilter;
  if (taps * padded <= kSmallFilter) gradient.byPixels(sums);
  else gradient.byTaps(sums);
  if (paddedSums == nullptr) return;
  for (int64_t tap = 0; tap < taps; tap++)
    std::copy(sums + tap * padded, sums + tap * padded + s.outputs, dFilter + tap * s.outputs);
}

}  // namespace softshard
