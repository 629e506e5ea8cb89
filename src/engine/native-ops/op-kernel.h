// What a kernel written against TensorFlow's C API needs: inputs and outputs that free themselves, and registration.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace softshard {

// One call of a kernel. After a failure, which is reported to TensorFlow, `ok` is false and pointers are null.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  bool ok() const { return ok_; }

  // Input `index`, borrowed until the call ends.
  const TF_Tensor* input(int index) {
    if (!ok_) return nullptr;
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    return keep(tensor);
  }

  // The float32 data of input `index`, which must have `size` elements.
  const float* floats(int index, int64_t size) {
    const TF_Tensor* tensor = input(index);
    if (tensor == nullptr) return nullptr;
    if (TF_TensorElementCount(tensor) != size) {
      fail("an input has another number of elements than the others ask for");
      return nullptr;
    }
    return static_cast<const float*>(TF_TensorData(tensor));
  }

  // A new float32 output.
  float* output(int index, const std::vector<int64_t>& shape) {
    if (!ok_) return nullptr;
    int64_t size = 1;
    for (const int64_t length : shape) size *= length;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, TF_FLOAT, const_cast<int64_t*>(shape.data()),
                                          static_cast<int>(shape.size()), size * sizeof(float), status_);
    tensor = keep(tensor);
    return tensor == nullptr ? nullptr : static_cast<float*>(TF_TensorData(tensor));
  }

  void fail(const char* message) {
    TF_SetStatus(status_, TF_INVALID_ARGUMENT, message);
    report();
  }

 private:
  TF_Tensor* keep(TF_Tensor* tensor) {
    if (tensor != nullptr) tensors_.push_back(tensor);
    if (TF_GetCode(status_) == TF_OK) return tensor;
    report();
    return nullptr;
  }
  void report() {
    ok_ = false;
    TF_OpKernelContext_Failure(context_, status_);
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
  bool ok_ = true;
};

std::vector<int64_t> shapeOf(const TF_Tensor* tensor);

// An attribute `list(int)`; empty, with `status` set, where it cannot be read.
std::vector<int64_t> int64List(TF_OpKernelConstruction* construction, const char* name, TF_Status* status);

struct OpDescription {
  const char* name;
  std::initializer_list<const char*> inputs;   // "x: float"
  std::initializer_list<const char*> outputs;  // "y: float"
  std::initializer_list<const char*> attributes;
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

// Registers an op and its kernel for the CPU. A failure is left to the first call of the op, which TensorFlow refuses.
void registerOp(const OpDescription& op);

}  // namespace softshard
