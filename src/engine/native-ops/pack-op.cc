// SoftshardUnpack cuts a flat vector into tensors, SoftshardPack joins tensors into a flat vector: each is the other's
// gradient. One call stands for a split and a reshape of every parameter of a model.
#include <cstring>

#include "op-kernel.h"

namespace softshard {
namespace {

// The shapes of all parts as one list: rank, then lengths, of each.
struct Shapes {
  std::vector<std::vector<int64_t>> parts;
};

void* createUnpack(TF_OpKernelConstruction* construction) {
  Shapes* shapes = new Shapes;
  TF_Status* status = TF_NewStatus();
  const std::vector<int64_t> list = int64List(construction, "shapes", status);
  for (size_t i = 0; i < list.size();) {
    const int64_t rank = list[i++];
    if (rank < 0 || rank > static_cast<int64_t>(list.size() - i)) {
      TF_SetStatus(status, TF_INVALID_ARGUMENT, "the list of shapes ends early");
      break;
    }
    shapes->parts.emplace_back(list.begin() + i, list.begin() + i + rank);
    i += rank;
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return shapes;
}

void computeUnpack(void* kernel, TF_OpKernelContext* context) {
  const Shapes& shapes = *static_cast<Shapes*>(kernel);
  Call call(context);
  const TF_Tensor* flat = call.input(0);
  if (flat == nullptr) return;
  const float* from = static_cast<const float*>(TF_TensorData(flat));
  int64_t left = TF_TensorElementCount(flat);
  if (TF_NumOutputs(context) != static_cast<int>(shapes.parts.size())) {
    call.fail("there are not as many parts as shapes");
    return;
  }
  for (size_t i = 0; i < shapes.parts.size(); i++) {
    int64_t size = 1;
    for (const int64_t length : shapes.parts[i]) size *= length;
    if (size < 0 || size > left) {
      call.fail("the vector is shorter than its parts");
      return;
    }
    float* to = call.output(static_cast<int>(i), shapes.parts[i]);
    if (to == nullptr) return;
    std::memcpy(to, from, size * sizeof(float));
    from += size;
    left -= size;
  }
  if (left != 0) call.fail("the vector is longer than its parts");
}

void computePack(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int count = TF_NumInputs(context);
  int64_t size = 0;
  std::vector<const TF_Tensor*> parts(count);
  for (int i = 0; i < count; i++) {
    parts[i] = call.input(i);
    if (parts[i] == nullptr) return;
    size += TF_TensorElementCount(parts[i]);
  }
  float* to = call.output(0, {size});
  if (to == nullptr) return;
  for (const TF_Tensor* part : parts) {
    const int64_t length = TF_TensorElementCount(part);
    std::memcpy(to, TF_TensorData(part), length * sizeof(float));
    to += length;
  }
}

}  // namespace

void registerPack() {
  registerOp({"SoftshardUnpack",
              {"flat: float"},
              {"parts: N * float"},
              {"N: int >= 1", "shapes: list(int)"},
              createUnpack,
              computeUnpack,
              [](void* kernel) { delete static_cast<Shapes*>(kernel); }});
  registerOp({"SoftshardPack",
              {"parts: N * float"},
              {"flat: float"},
              {"N: int >= 1"},
              [](TF_OpKernelConstruction*) -> void* { return nullptr; },
              computePack,
              [](void*) {}});
}

}  // namespace softshard
