// Training batch norm over the rows of [rows, channels] float32, alone or followed by SiLU (x * sigmoid(x)).
#pragma once

#include <cstdint>

namespace softshard {

enum class Activation { kNone, kSilu };

struct BatchNormForward {
  const float* x;      // [rows, channels]
  const float* gamma;  // [channels], as all below but y
  const float* beta;
  float epsilon;
  Activation activation;
  float* y;         // [rows, channels]
  float* mean;      // of the batch
  float* variance;  // of the batch, unbiased
  float* inverse;   // 1 / sqrt(biased variance + epsilon)
};

struct BatchNormBackward {
  const float* dy;  // [rows, channels]
  const float* x;
  const float* gamma;
  const float* beta;
  const float* mean;
  const float* inverse;
  Activation activation;
  float* dx;  // [rows, channels]
  float* dGamma;
  float* dBeta;
};

void batchNormForward(int64_t rows, int64_t channels, const BatchNormForward& arguments);
void batchNormBackward(int64_t rows, int64_t channels, const BatchNormBackward& arguments);

// Sums of x [rows, channels] over the rows: [channels].
void channelSums(int64_t rows, int64_t channels, const float* x, float* sums);

}  // namespace softshard
