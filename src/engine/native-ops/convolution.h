// Convolution (cross-correlation) of float32 images [batch, height, width, channels] with filters
// [height, width, inputs, outputs], and its two gradients. The bits of all three depend on the shape alone, not on the
// number of threads.
#pragma once

#include <cstdint>

namespace softshard {

struct ConvolutionShape {
  int64_t batch, height, width, inputs;  // of x
  int64_t filterHeight, filterWidth, outputs;
  int64_t stride;   // pixels, the same in both axes
  int64_t padding;  // pixels of zeros on all four sides

  int64_t outputHeight() const { return (height + 2 * padding - filterHeight) / stride + 1; }
  int64_t outputWidth() const { return (width + 2 * padding - filterWidth) / stride + 1; }
};

struct ConvolutionForward {
  const float* x;
  const float* filter;
  const float* bias;  // [outputs], or null
  bool silu;          // whether y becomes y * sigmoid(y)
  float* y;
};

void convolve(const ConvolutionShape& shape, const ConvolutionForward& arguments);
void convolutionInputGradient(const ConvolutionShape& shape, const float* dy, const float* filter, float* dx);
void convolutionFilterGradient(const ConvolutionShape& shape, const float* x, const float* dy, float* dFilter);

}  // namespace softshard
