#include "convolution.h"

#include "convolution-kernels.h"
#include "correlation.h"
#include "image-window.h"
#include "thread-pool.h"

namespace softshard {

void convolve(const ConvolutionShape& s, const ConvolutionForward& a) {
  const int64_t taps = s.filterHeight * s.filterWidth * s.inputs, padded = paddedChannels(s.outputs);
  std::unique_ptr<float[]> filter, bias;
  if (padded != s.outputs) {
    filter = floats(taps * padded);
    padRows(a.filter, taps, s.outputs, padded, filter.get());
    if (a.bias != nullptr) {
      bias = floats(padded);
      padRows(a.bias, 1, s.outputs, padded, bias.get());
    }
  }
  Correlation c{};
  c.input = a.x;
  c.images = s.batch;
  c.height = s.height;
  c.width = s.width;
  c.channels = s.inputs;
  c.top = c.left = -s.padding;
  c.step = s.stride;
  c.windowRows = s.filterHeight;
  c.windowColumns = s.filterWidth;
  c.filter = filter != nullptr ? filter.get() : a.filter;
  c.bias = bias != nullptr ? bias.get() : a.bias;
  c.silu = a.silu;
  c.rows = s.outputHeight();
  c.columns = s.outputWidth();
  c.outputs = s.outputs;
  c.output = a.y;
  c.outputPixel = s.outputs;
  c.outputRow = c.columns * c.outputPixel;
  c.outputImage = c.rows * c.outputRow;
  correlate(c);
}

namespace {

// One axis of the input pixels y = stride * a + phase: they meet filter taps `first` + stride * j for 0 <= j < count,
// and of those the last at the output pixel a + start.
struct Phase {
  int64_t first, count, start, pixels;

  Phase(int64_t phase, int64_t stride, int64_t padding, int64_t taps, int64_t size) {
    first = (phase + padding) % stride;
    count = taps > first ? (taps - first + stride - 1) / stride : 0;
    start = (phase + padding - first) / stride - (count - 1);
    pixels = size > phase ? (size - phase + stride - 1) / stride : 0;
  }
};

// The filter's taps that meet a phase, mirrored, with inputs and outputs swapped: [taps, outputs, padded inputs].
void turnFilter(const ConvolutionShape& s, const Phase& v, const Phase& h, const float* filter, float* to) {
  constexpr int64_t kInputs = 16;
  const int64_t padded = paddedChannels(s.inputs), blocks = (padded + kInputs - 1) / kInputs;
  eachPart(v.count * h.count * blocks, [&](int64_t part) {
    const int64_t tap = part / blocks, begin = part % blocks * kInputs;
    const int64_t row = v.first + s.stride * (v.count - 1 - tap / h.count);
    const int64_t column = h.first + s.stride * (h.count - 1 - tap % h.count);
    const float* const from = filter + (row * s.filterWidth + column) * s.inputs * s.outputs;
    float* const turned = to + tap * s.outputs * padded;
    const int64_t inputs = std::min(kInputs, s.inputs - begin), all = std::min(kInputs, padded - begin);
    for (int64_t o = 0; o < s.outputs; o++) {
      float* const at = turned + o * padded + begin;
      for (int64_t i = 0; i < inputs; i++) at[i] = from[(begin + i) * s.outputs + o];
      for (int64_t i = std::max<int64_t>(inputs, 0); i < all; i++) at[i] = 0;
    }
  });
}

}  // namespace

void convolutionInputGradient(const ConvolutionShape& s, const float* dy, const float* filter, float* dx) {
  const std::unique_ptr<float[]> turned =
      floats(s.filterHeight * s.filterWidth * s.outputs * paddedChannels(s.inputs));
  Correlation c{};
  c.input = dy;
  c.images = s.batch;
  c.height = s.outputHeight();
  c.width = s.outputWidth();
  c.channels = s.outputs;
  c.step = 1;
  c.filter = turned.get();
  c.outputs = s.inputs;
  c.outputPixel = s.stride * s.inputs;
  c.outputRow = s.stride * s.width * s.inputs;
  c.outputImage = s.height * s.width * s.inputs;
  for (int64_t y = 0; y < s.stride; y++)
    for (int64_t x = 0; x < s.stride; x++) {
      const Phase v(y, s.stride, s.padding, s.filterHeight, s.height);
      const Phase h(x, s.stride, s.padding, s.filterWidth, s.width);
      turnFilter(s, v, h, filter, turned.get());
      c.top = v.start;
      c.left = h.start;
      c.windowRows = v.count;
      c.windowColumns = v.count == 0 ? 0 : h.count;
      c.rows = v.pixels;
      c.columns = h.pixels;
      c.output = dx + (y * s.width + x) * s.inputs;
      if (c.rows > 0 && c.columns > 0) correlate(c);
    }
}

}  // namespace softshard
