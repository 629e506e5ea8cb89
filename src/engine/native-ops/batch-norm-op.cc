// SoftshardBatchNormTrain, its gradient and SoftshardChannelSums: `batch-norm.h` as TensorFlow ops, over all axes but
// the last.
#include "batch-norm.h"
#include "op-kernel.h"

namespace softshard {
namespace {

struct Attributes {
  float epsilon = 0;
  Activation activation = Activation::kNone;
};

void* createWith(TF_OpKernelConstruction* construction, bool withEpsilon) {
  Attributes* attributes = new Attributes;
  TF_Status* status = TF_NewStatus();
  unsigned char silu = 0;
  TF_OpKernelConstruction_GetAttrBool(construction, "silu", &silu, status);
  if (silu != 0) attributes->activation = Activation::kSilu;
  if (withEpsilon && TF_GetCode(status) == TF_OK)
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}

void destroy(void* kernel) { delete static_cast<Attributes*>(kernel); }

struct Extent {
  std::vector<int64_t> shape;
  int64_t rows = 0;
  int64_t channels = 0;

  // False, with the failure reported, for a tensor without rows or channels.
  bool read(Call& call, const TF_Tensor* x) {
    if (x == nullptr) return false;
    shape = shapeOf(x);
    if (shape.empty() || TF_TensorElementCount(x) == 0) {
      call.fail("batch norm takes a tensor with channels and at least one row");
      return false;
    }
    channels = shape.back();
    rows = TF_TensorElementCount(x) / channels;
    return true;
  }
};

void computeForward(void* kernel, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const TF_Tensor* x = call.input(0);
  Extent extent;
  if (!extent.read(call, x)) return;
  const int64_t c = extent.channels;
  BatchNormForward arguments;
  arguments.x = static_cast<const float*>(TF_TensorData(x));
  arguments.gamma = call.floats(1, c);
  arguments.beta = call.floats(2, c);
  arguments.epsilon = attributes.epsilon;
  arguments.activation = attributes.activation;
  arguments.y = call.output(0, extent.shape);
  arguments.mean = call.output(1, {c});
  arguments.variance = call.output(2, {c});
  arguments.inverse = call.output(3, {c});
  if (call.ok()) batchNormForward(extent.rows, c, arguments);
}

void computeBackward(void* kernel, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const TF_Tensor* x = call.input(1);
  Extent extent;
  if (!extent.read(call, x)) return;
  const int64_t c = extent.channels;
  BatchNormBackward arguments;
  arguments.dy = call.floats(0, extent.rows * c);
  arguments.x = static_cast<const float*>(TF_TensorData(x));
  arguments.gamma = call.floats(2, c);
  arguments.beta = call.floats(3, c);
  arguments.mean = call.floats(4, c);
  arguments.inverse = call.floats(5, c);
  arguments.activation = attributes.activation;
  arguments.dx = call.output(0, extent.shape);
  arguments.dGamma = call.output(1, {c});
  arguments.dBeta = call.output(2, {c});
  if (call.ok()) batchNormBackward(extent.rows, c, arguments);
}

void computeSums(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* x = call.input(0);
  Extent extent;
  if (!extent.read(call, x)) return;
  float* sums = call.output(0, {extent.channels});
  if (call.ok()) channelSums(extent.rows, extent.channels, static_cast<const float*>(TF_TensorData(x)), sums);
}

}  // namespace

void registerBatchNorm() {
  registerOp({"SoftshardChannelSums",
              {"x: float"},
              {"sums: float"},
              {},
              [](TF_OpKernelConstruction*) -> void* { return nullptr; },
              computeSums,
              [](void*) {}});
  registerOp({"SoftshardBatchNormTrain",
              {"x: float", "gamma: float", "beta: float"},
              {"y: float", "mean: float", "variance: float", "inverse: float"},
              {"epsilon: float", "silu: bool"},
              [](TF_OpKernelConstruction* construction) { return createWith(construction, true); },
              computeForward,
              destroy});
  registerOp({"SoftshardBatchNormTrainGrad",
              {"dy: float", "x: float", "gamma: float", "beta: float", "mean: float", "inverse: float"},
              {"dx: float", "d_gamma: float", "d_beta: float"},
              {"silu: bool"},
              [](TF_OpKernelConstruction* construction) { return createWith(construction, false); },
              computeBackward,
              destroy});
}

}  // namespace softshard
