#include "batch-norm.h"

#include <cmath>
#include <vector>

#include "part-kernels.h"
#include "thread-pool.h"

namespace softshard {
namespace {

// Sums of 2 * channels numbers over all rows: every part into a place of its own, then in the order of the parts.
template <typename AddPart>
std::vector<double> sumParts(const Geometry& g, const AddPart& addPart) {
  std::vector<double> parts(g.parts * 2 * g.channels, 0.0);
  struct Work {
    const Geometry& g;
    const AddPart& addPart;
    double* parts;
  } work{g, addPart, parts.data()};
  forEachPart(
      g.parts,
      [](void* argument, int64_t part) {
        const Work& w = *static_cast<Work*>(argument);
        const int64_t begin = part * w.g.partRows;
        const int64_t rows = std::min(w.g.partRows, w.g.rows - begin);
        w.addPart(begin * w.g.channels, rows, w.parts + part * 2 * w.g.channels);
      },
      &work);
  std::vector<double> sums(parts.begin(), parts.begin() + 2 * g.channels);
  for (int64_t part = 1; part < g.parts; part++)
    for (int64_t i = 0; i < 2 * g.channels; i++) sums[i] += parts[part * 2 * g.channels + i];
  return sums;
}

template <typename RunPart>
void overParts(const Geometry& g, const RunPart& runPart) {
  struct Work {
    const Geometry& g;
    const RunPart& runPart;
  } work{g, runPart};
  forEachPart(
      g.parts,
      [](void* argument, int64_t part) {
        const Work& w = *static_cast<Work*>(argument);
        const int64_t begin = part * w.g.partRows;
        w.runPart(begin * w.g.channels, std::min(w.g.partRows, w.g.rows - begin));
      },
      &work);
}

// A number a channel, repeated over the rows of a tile.
class Tiled {
 public:
  template <typename Of>
  Tiled(const Geometry& g, const Of& of) : values_(g.tile) {
    for (int64_t c = 0; c < g.channels; c++) values_[c] = of(c);
    for (int64_t i = g.channels; i < g.tile; i++) values_[i] = values_[i - g.channels];
  }
  operator const float*() const { return values_.data(); }

 private:
  std::vector<float> values_;
};

}  // namespace

void channelSums(int64_t rows, int64_t channels, const float* x, float* sums) {
  const Geometry g(rows, channels);
  const std::vector<double> moments = sumParts(g, [&](int64_t offset, int64_t count, double* into) {
    partKernels().moments(g, x + offset, count, into);
  });
  for (int64_t c = 0; c < channels; c++) sums[c] = static_cast<float>(moments[c]);
}

void batchNormForward(int64_t rows, int64_t channels, const BatchNormForward& a) {
  const Geometry g(rows, channels);
  const PartKernels& kernels = partKernels();
  const std::vector<double> sums = sumParts(g, [&](int64_t offset, int64_t count, double* into) {
    kernels.moments(g, a.x + offset, count, into);
  });
  const double n = static_cast<double>(rows);
  for (int64_t c = 0; c < channels; c++) {
    const double mean = sums[c] / n;
    const double biased = std::fmax(sums[channels + c] / n - mean * mean, 0.0);
    a.mean[c] = static_cast<float>(mean);
    a.variance[c] = static_cast<float>(biased * (n / std::fmax(n - 1, 1.0)));
    a.inverse[c] = static_cast<float>(1 / std::sqrt(biased + static_cast<double>(a.epsilon)));
  }
  const Tiled mean(g, [&](int64_t c) { return a.mean[c]; });
  const Tiled scale(g, [&](int64_t c) { return a.gamma[c] * a.inverse[c]; });
  const Tiled beta(g, [&](int64_t c) { return a.beta[c]; });
  const TileParameters tile{mean, beta, scale, nullptr, nullptr};
  overParts(g, [&](int64_t offset, int64_t count) {
    kernels.normalise(g, a.activation, tile, a.x + offset, count, a.y + offset);
  });
}

// dx = gamma inv (dz - mean(dz) - xhat mean(dz xhat)); Ioffe & Szegedy 2015, section 3.
void batchNormBackward(int64_t rows, int64_t channels, const BatchNormBackward& a) {
  const Geometry g(rows, channels);
  const PartKernels& kernels = partKernels();
  const Tiled mean(g, [&](int64_t c) { return a.mean[c]; });
  const Tiled scale(g, [&](int64_t c) { return a.gamma[c] * a.inverse[c]; });
  const Tiled beta(g, [&](int64_t c) { return a.beta[c]; });
  const TileParameters forward{mean, beta, scale, nullptr, nullptr};
  const std::vector<double> sums = sumParts(g, [&](int64_t offset, int64_t count, double* into) {
    kernels.gradientSums(g, a.activation, forward, a.x + offset, a.dy + offset, count, into);
  });
  const double n = static_cast<double>(rows);
  std::vector<float> slopes(channels), offsets(channels);
  for (int64_t c = 0; c < channels; c++) {
    const double inverse = a.inverse[c];
    const double factor = a.gamma[c] * inverse;
    const double dGamma = sums[channels + c] * inverse;
    a.dBeta[c] = static_cast<float>(sums[c]);
    a.dGamma[c] = static_cast<float>(dGamma);
    slopes[c] = static_cast<float>(-factor * inverse * dGamma / n);
    offsets[c] = static_cast<float>(-factor * sums[c] / n);
  }
  const Tiled slope(g, [&](int64_t c) { return slopes[c]; });
  const Tiled offset(g, [&](int64_t c) { return offsets[c]; });
  const TileParameters tile{mean, beta, scale, slope, offset};
  overParts(g, [&](int64_t start, int64_t count) {
    kernels.inputGradient(g, a.activation, tile, a.x + start, a.dy + start, count, a.dx + start);
  });
}

}  // namespace softshard
