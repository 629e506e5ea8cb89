// SoftshardConv2d, SoftshardConv2dBias and the gradients of the first: `convolution.h` as TensorFlow ops.
#include "convolution.h"
#include "op-kernel.h"

namespace softshard {
namespace {

struct Attributes {
  int64_t stride = 1;
  int64_t padding = 0;
  bool silu = false;
  std::vector<int64_t> shape;  // of the result that is asked for: the input's or the filter's
};

enum class Kind { kPlain, kBias, kGradient };

template <Kind kKind>
void* create(TF_OpKernelConstruction* construction) {
  Attributes* attributes = new Attributes;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrInt64(construction, "stride", &attributes->stride, status);
  if (TF_GetCode(status) == TF_OK)
    TF_OpKernelConstruction_GetAttrInt64(construction, "padding", &attributes->padding, status);
  if (kKind == Kind::kBias && TF_GetCode(status) == TF_OK) {
    unsigned char silu = 0;
    TF_OpKernelConstruction_GetAttrBool(construction, "silu", &silu, status);
    attributes->silu = silu != 0;
  }
  if (kKind == Kind::kGradient && TF_GetCode(status) == TF_OK)
    attributes->shape = int64List(construction, "shape", status);
  if (TF_GetCode(status) == TF_OK && (attributes->stride < 1 || attributes->padding < 0))
    TF_SetStatus(status, TF_INVALID_ARGUMENT, "the stride is not positive, or the padding negative");
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}

void destroy(void* kernel) { delete static_cast<Attributes*>(kernel); }

// False, with the failure reported, for shapes that are not those of a convolution.
bool readShape(Call& call, const Attributes& attributes, const std::vector<int64_t>& x,
               const std::vector<int64_t>& filter, ConvolutionShape& shape) {
  if (x.size() == 4 && filter.size() == 4 && x[3] == filter[2]) {
    shape = {x[0], x[1], x[2], x[3], filter[0], filter[1], filter[3], attributes.stride, attributes.padding};
    const int64_t height = shape.height + 2 * shape.padding, width = shape.width + 2 * shape.padding;
    if (filter[0] > 0 && filter[1] > 0 && height >= filter[0] && width >= filter[1]) return true;
  }
  call.fail("a convolution takes images [batch, height, width, inputs] and a filter that fits into them");
  return false;
}

const float* dataOf(const TF_Tensor* tensor) { return static_cast<const float*>(TF_TensorData(tensor)); }

template <bool kBias>
void computeForward(void* kernel, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const TF_Tensor* x = call.input(0);
  const TF_Tensor* filter = call.input(1);
  ConvolutionShape shape;
  if (!call.ok() || !readShape(call, attributes, shapeOf(x), shapeOf(filter), shape)) return;
  ConvolutionForward arguments{dataOf(x), dataOf(filter), nullptr, attributes.silu, nullptr};
  if (kBias) arguments.bias = call.floats(2, shape.outputs);
  arguments.y = call.output(0, {shape.batch, shape.outputHeight(), shape.outputWidth(), shape.outputs});
  if (call.ok()) convolve(shape, arguments);
}

int64_t dyFloats(const ConvolutionShape& shape) {
  return shape.batch * shape.outputHeight() * shape.outputWidth() * shape.outputs;
}

void computeInputGradient(void* kernel, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const TF_Tensor* filter = call.input(1);
  ConvolutionShape shape;
  if (!call.ok() || !readShape(call, attributes, attributes.shape, shapeOf(filter), shape)) return;
  const float* dy = call.floats(0, dyFloats(shape));
  float* dx = call.output(0, attributes.shape);
  if (call.ok()) convolutionInputGradient(shape, dy, dataOf(filter), dx);
}

void computeFilterGradient(void* kernel, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const TF_Tensor* x = call.input(0);
  ConvolutionShape shape;
  if (!call.ok() || !readShape(call, attributes, shapeOf(x), attributes.shape, shape)) return;
  const float* dy = call.floats(1, dyFloats(shape));
  float* dFilter = call.output(0, attributes.shape);
  if (call.ok()) convolutionFilterGradient(shape, dataOf(x), dy, dFilter);
}

}  // namespace

void registerConvolution() {
  registerOp({"SoftshardConv2d",
              {"x: float", "filter: float"},
              {"y: float"},
              {"stride: int", "padding: int"},
              create<Kind::kPlain>,
              computeForward<false>,
              destroy});
  registerOp({"SoftshardConv2dBias",
              {"x: float", "filter: float", "bias: float"},
              {"y: float"},
              {"stride: int", "padding: int", "silu: bool"},
              create<Kind::kBias>,
              computeForward<true>,
              destroy});
  registerOp({"SoftshardConv2dInputGrad",
              {"dy: float", "filter: float"},
              {"dx: float"},
              {"stride: int", "padding: int", "shape: list(int)"},
              create<Kind::kGradient>,
              computeInputGradient,
              destroy});
  registerOp({"SoftshardConv2dFilterGrad",
              {"x: float", "dy: float"},
              {"d_filter: float"},
              {"stride: int", "padding: int", "shape: list(int)"},
              create<Kind::kGradient>,
              computeFilterGradient,
              destroy});
}

}  // namespace softshard
