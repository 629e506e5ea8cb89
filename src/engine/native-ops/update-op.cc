// SoftshardSgdUpdate and SoftshardAdamUpdate: one optimizer step over flat vectors, and the moving average of the
// weights. Every product and sum is rounded to float32 in the order of src/optim/update-rule.ts, so that the bits are
// those of the same rule written with TensorFlow's ops.
#include <algorithm>
#include <cmath>

#include "op-kernel.h"
#include "thread-pool.h"

namespace softshard {
namespace {

constexpr int64_t kPartFloats = 32768;

struct Groups {
  std::vector<int64_t> sizes;
  bool decoupled = false;
};

void* createWith(TF_OpKernelConstruction* construction, bool withDecoupled) {
  Groups* groups = new Groups;
  TF_Status* status = TF_NewStatus();
  groups->sizes = int64List(construction, "sizes", status);
  unsigned char decoupled = 0;
  if (withDecoupled && TF_GetCode(status) == TF_OK)
    TF_OpKernelConstruction_GetAttrBool(construction, "decoupled", &decoupled, status);
  groups->decoupled = decoupled != 0;
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return groups;
}

void destroy(void* kernel) { delete static_cast<Groups*>(kernel); }

// Numbers of a step, in the order of the settings input: those of all groups, then `kEach` of each group.
struct Common {
  float momentum;
  float averageDecay;
  float averageGain;  // 1 - averageDecay
};

struct Sgd {
  static constexpr int64_t kCommon = 3;
  static constexpr int64_t kEach = 2;
  const float *weights, *gradient, *velocity, *average;
  float *newWeights, *newVelocity, *newAverage;
  Common common;

  void run(const float* group, int64_t begin, int64_t end) const {
    const float rate = group[0], decay = group[1], momentum = common.momentum;
    const float keep = common.averageDecay, gain = common.averageGain;
#ifndef __clang__
#pragma GCC ivdep
#endif
    for (int64_t i = begin; i < end; i++) {
      const float g = decay == 0 ? gradient[i] : gradient[i] + weights[i] * decay;
      const float v = velocity[i] * momentum + g;
      const float w = weights[i] - (g + v * momentum) * rate;
      newVelocity[i] = v;
      newWeights[i] = w;
      newAverage[i] = average[i] * keep + w * gain;
    }
  }
};

struct Adam {
  static constexpr int64_t kCommon = 8;
  static constexpr int64_t kEach = 3;
  const float *weights, *gradient, *first, *second, *average;
  float *newWeights, *newFirst, *newSecond, *newAverage;
  Common common;
  float firstGain;   // 1 - momentum
  float beta2;
  float secondGain;  // 1 - beta2
  float root;        // sqrt(1 - beta2^step)
  float epsilon;
  bool decoupled;

  void run(const float* group, int64_t begin, int64_t end) const {
    const float scale = group[0];  // learning rate / (1 - momentum^step)
    const float decay = decoupled ? 0 : group[1];
    const float shrink = group[2];  // 1 - learning rate * decay
    const float keep = common.averageDecay, gain = common.averageGain;
#ifndef __clang__
#pragma GCC ivdep
#endif
    for (int64_t i = begin; i < end; i++) {
      const float g = decay == 0 ? gradient[i] : gradient[i] + weights[i] * decay;
      const float start = decoupled ? weights[i] * shrink : weights[i];
      const float m = first[i] * common.momentum + g * firstGain;
      const float v = second[i] * beta2 + g * g * secondGain;
      const float w = start - m / (std::sqrt(v) / root + epsilon) * scale;
      newFirst[i] = m;
      newSecond[i] = v;
      newWeights[i] = w;
      newAverage[i] = average[i] * keep + w * gain;
    }
  }
};

// Runs a rule over its groups, in parts of a fixed size: elements do not meet, so the cut decides no bits.
template <typename Rule>
void runGroups(const Groups& groups, const Rule& rule, const float* settings) {
  int64_t begin = 0;
  for (size_t k = 0; k < groups.sizes.size(); k++) {
    struct Work {
      const Rule& rule;
      const float* group;
      int64_t begin, end;
    } work{rule, settings + Rule::kCommon + k * Rule::kEach, begin, begin + groups.sizes[k]};
    forEachPart(
        (groups.sizes[k] + kPartFloats - 1) / kPartFloats,
        [](void* argument, int64_t part) {
          const Work& w = *static_cast<Work*>(argument);
          const int64_t first = w.begin + part * kPartFloats;
          w.rule.run(w.group, first, std::min(first + kPartFloats, w.end));
        },
        &work);
    begin += groups.sizes[k];
  }
}

int64_t sizeOf(const Groups& groups) {
  int64_t size = 0;
  for (const int64_t length : groups.sizes) size += length;
  return size;
}

void computeSgd(void* kernel, TF_OpKernelContext* context) {
  const Groups& groups = *static_cast<Groups*>(kernel);
  const int64_t size = sizeOf(groups);
  Call call(context);
  Sgd rule;
  rule.weights = call.floats(0, size);
  rule.gradient = call.floats(1, size);
  rule.velocity = call.floats(2, size);
  rule.average = call.floats(3, size);
  const float* settings = call.floats(4, Sgd::kCommon + Sgd::kEach * static_cast<int64_t>(groups.sizes.size()));
  rule.newWeights = call.output(0, {size});
  rule.newVelocity = call.output(1, {size});
  rule.newAverage = call.output(2, {size});
  if (!call.ok()) return;
  rule.common = {settings[0], settings[1], settings[2]};
  runGroups(groups, rule, settings);
}

void computeAdam(void* kernel, TF_OpKernelContext* context) {
  const Groups& groups = *static_cast<Groups*>(kernel);
  const int64_t size = sizeOf(groups);
  Call call(context);
  Adam rule;
  rule.weights = call.floats(0, size);
  rule.gradient = call.floats(1, size);
  rule.first = call.floats(2, size);
  rule.second = call.floats(3, size);
  rule.average = call.floats(4, size);
  const float* settings = call.floats(5, Adam::kCommon + Adam::kEach * static_cast<int64_t>(groups.sizes.size()));
  rule.newWeights = call.output(0, {size});
  rule.newFirst = call.output(1, {size});
  rule.newSecond = call.output(2, {size});
  rule.newAverage = call.output(3, {size});
  if (!call.ok()) return;
  rule.common = {settings[0], settings[1], settings[2]};
  rule.firstGain = settings[3];
  rule.beta2 = settings[4];
  rule.secondGain = settings[5];
  rule.root = settings[6];
  rule.epsilon = settings[7];
  rule.decoupled = groups.decoupled;
  runGroups(groups, rule, settings);
}

}  // namespace

void registerUpdate() {
  registerOp({"SoftshardSgdUpdate",
              {"weights: float", "gradient: float", "velocity: float", "average: float", "settings: float"},
              {"new_weights: float", "new_velocity: float", "new_average: float"},
              {"sizes: list(int)"},
              [](TF_OpKernelConstruction* construction) { return createWith(construction, false); },
              computeSgd,
              destroy});
  registerOp({"SoftshardAdamUpdate",
              {"weights: float", "gradient: float", "first: float", "second: float", "average: float",
               "settings: float"},
              {"new_weights: float", "new_first: float", "new_second: float", "new_average: float"},
              {"sizes: list(int)", "decoupled: bool"},
              [](TF_OpKernelConstruction* construction) { return createWith(construction, true); },
              computeAdam,
              destroy});
}

}  // namespace softshard
