#include "op-kernel.h"

namespace softshard {

std::vector<int64_t> shapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor, static_cast<int>(i));
  return shape;
}

std::vector<int64_t> int64List(TF_OpKernelConstruction* construction, const char* name, TF_Status* status) {
  int32_t length = 0, bytes = 0;
  TF_OpKernelConstruction_GetAttrSize(construction, name, &length, &bytes, status);
  std::vector<int64_t> list(TF_GetCode(status) == TF_OK && length > 0 ? length : 0);
  if (!list.empty())
    TF_OpKernelConstruction_GetAttrInt64List(construction, name, list.data(), static_cast<int>(list.size()), status);
  return list;
}

void registerOp(const OpDescription& op) {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(op.name);
  for (const char* input : op.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : op.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  for (const char* attribute : op.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(
      definition, [](TF_ShapeInferenceContext* context, TF_Status* status) {
        TF_ShapeInferenceContextSetUnknownShape(context, status);
      });
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_KernelBuilder* kernel = TF_NewKernelBuilder(op.name, "CPU", op.create, op.compute, op.destroy);
    TF_RegisterKernelBuilder(op.name, kernel, status);
  }
  TF_DeleteStatus(status);
}

}  // namespace softshard
