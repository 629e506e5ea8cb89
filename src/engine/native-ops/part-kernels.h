// The inner loops over one part of a tensor, compiled once for each instruction set.
#pragma once

#include <cstdint>

#include "batch-norm.h"
#include "geometry.h"

namespace softshard {

// Parameters of a tile, one number a lane: its channel's, repeated over the rows of the tile.
struct TileParameters {
  const float* mean;
  const float* beta;
  const float* scale;  // gamma * inverse
  // Of the backward pass: dx = scale * dz + slope * (x - mean) + offset.
  const float* slope;
  const float* offset;
};

struct PartKernels {
  // Adds sum(x) and sum(x^2) of `rows` rows to sums[0 .. channels) and sums[channels .. 2 channels).
  void (*moments)(const Geometry&, const float* x, int64_t rows, double* sums);
  // y = activation(z) with z = (x - mean) * scale + beta.
  void (*normalise)(const Geometry&, Activation, const TileParameters&, const float* x, int64_t rows, float* y);
  // Adds sum(dz) and sum(dz * (x - mean)).
  void (*gradientSums)(const Geometry&, Activation, const TileParameters&, const float* x, const float* dy,
                       int64_t rows, double* sums);
  void (*inputGradient)(const Geometry&, Activation, const TileParameters&, const float* x, const float* dy,
                        int64_t rows, float* dx);
  // The gradient of a max pool over one image [height, width, channels], stride 1: adds each dy to dx at the first of
  // the largest values within `reach` rows and columns of its place.
  void (*maxPoolGradient)(int64_t height, int64_t width, int64_t channels, int64_t reach, const float* x,
                          const float* dy, float* dx);
};

// Those for the best instruction set that this processor has.
const PartKernels& partKernels();

}  // namespace softshard
