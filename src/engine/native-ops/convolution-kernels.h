// The inner loops of convolutions over one band of pixels, compiled once for each instruction set. Channels count in
// blocks of eight; every number is summed in the same order on all sets that have fused multiply-adds.
#pragma once

#include <cstdint>

namespace softshard {

constexpr int64_t kChannelBlock = 8;

constexpr int64_t paddedChannels(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

// Output pixel (row, column) is the product of a window of the input with the filter. The window's rows are `run`
// adjacent floats each: all columns and channels. Distances count in floats.
struct WindowBand {
  const float* input;    // the first window
  int64_t windowRow;     // between the rows of a window
  int64_t windowRows;
  int64_t run;
  int64_t inputPixel;    // between the windows of neighbours in a row
  int64_t inputRow;      // between the windows of neighbours in a column
  const float* filter;   // [windowRows * run, channels]
  const float* bias;     // [channels], or null
  bool silu;
  int64_t channels;      // a multiple of kChannelBlock
  float* output;
  int64_t written;       // channels of the output, of which those of `channels` beyond are left out
  int64_t outputPixel;
  int64_t outputRow;
  int64_t rows, pixels;  // of the output
};

// Adds to sums[t, c], over all pixels, the input at t floats behind the pixel's window times dy at channel c.
struct FilterBand {
  const float* input;
  int64_t taps;
  int64_t inputPixel, inputRow;
  const float* dy;
  int64_t channels;  // a multiple of kChannelBlock
  int64_t dyPixel, dyRow;
  float* sums;
  int64_t sumPitch;  // between the sums of neighbouring taps
  int64_t rows, pixels;
};

struct ConvolutionKernels {
  void (*windows)(const WindowBand&);
  void (*filterSums)(const FilterBand&);
};

// Those for the best instruction set that this processor has.
const ConvolutionKernels& convolutionKernels();

}  // namespace softshard
