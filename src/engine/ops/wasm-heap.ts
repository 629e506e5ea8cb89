/** Reads and writes tensors where the wasm backend keeps them, without its copies. */
import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';

export type NumberArray = Float32Array | Int32Array | Uint8Array;

/** What kernels use of the wasm backend. */
export interface WasmBackend {
  /** A tensor without values. Its making can move the heap: views taken before it are void. */
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
  /** A view of a tensor's values; not of strings or complex numbers. */
  typedArrayFromHeap(tensor: TensorInfo): NumberArray;
}
