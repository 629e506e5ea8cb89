// SoftshardMaxPoolGrad: the gradient of a max pool with an odd window, stride 1 and padding that never wins. The first
// of equal values, row by row, takes the gradient.
#include <algorithm>

#include "op-kernel.h"
#include "part-kernels.h"
#include "thread-pool.h"

namespace softshard {
namespace {

struct Window {
  int64_t side = 1;
};

void* create(TF_OpKernelConstruction* construction) {
  Window* window = new Window;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrInt64(construction, "window", &window->side, status);
  if (TF_GetCode(status) == TF_OK && (window->side < 1 || window->side % 2 == 0))
    TF_SetStatus(status, TF_INVALID_ARGUMENT, "the window of the max pool is not odd");
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return window;
}

struct Pool {
  int64_t height, width, channels, reach;
  const float* x;
  const float* dy;
  float* dx;

  void image(int64_t n) const {
    const int64_t start = n * height * width * channels;
    std::fill(dx + start, dx + start + height * width * channels, 0.0f);
    partKernels().maxPoolGradient(height, width, channels, reach, x + start, dy + start, dx + start);
  }
};

void compute(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* x = call.input(1);
  if (x == nullptr) return;
  const std::vector<int64_t> shape = shapeOf(x);
  if (shape.size() != 4 || shape[1] * shape[2] > UINT32_MAX) {
    call.fail("the max pool takes a tensor [batch, height, width, channels]");
    return;
  }
  Pool pool{shape[1], shape[2], shape[3], static_cast<Window*>(kernel)->side / 2, nullptr, nullptr, nullptr};
  pool.x = static_cast<const float*>(TF_TensorData(x));
  pool.dy = call.floats(0, TF_TensorElementCount(x));
  pool.dx = call.output(0, shape);
  if (!call.ok()) return;
  forEachPart(shape[0], [](void* work, int64_t n) { static_cast<Pool*>(work)->image(n); }, &pool);
}

}  // namespace

void registerMaxPool() {
  registerOp({"SoftshardMaxPoolGrad",
              {"dy: float", "x: float"},
              {"dx: float"},
              {"window: int"},
              create,
              compute,
              [](void* kernel) { delete static_cast<Window*>(kernel); }});
}

}  // namespace softshard
