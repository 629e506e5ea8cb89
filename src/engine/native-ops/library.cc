// Registers Softshard's ops with TensorFlow when the binding that they are linked into is loaded.
#include "op-kernel.h"
#include "thread-pool.h"

namespace softshard {

void registerBatchNorm();
void registerConvolution();
void registerMaxPool();
void registerPack();
void registerUpdate();

namespace {

// SoftshardOps: tells that the library is there, and how many threads it uses.
void computeInfo(void*, TF_OpKernelContext* context) {
  Call call(context);
  float* threads = call.output(0, {});
  if (call.ok()) *threads = static_cast<float>(threadCount());
}

__attribute__((constructor)) void registerOps() {
  registerOp({"SoftshardOps",
              {},
              {"threads: float"},
              {},
              [](TF_OpKernelConstruction*) -> void* { return nullptr; },
              computeInfo,
              [](void*) {}});
  registerBatchNorm();
  registerConvolution();
  registerMaxPool();
  registerPack();
  registerUpdate();
}

}  // namespace
}  // namespace softshard
