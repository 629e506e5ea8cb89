/** Tensors outside any engine: plain typed arrays with a shape, as files hold them. */

export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array;

/** Element types of weight files. `float16` and `bfloat16` data are held as their raw bits. */
export type DType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/**
 * A tensor in C order. `data` is a Float64Array, Float32Array, Uint16Array (raw bits of float16 and bfloat16),
 * BigInt64Array (int64), Int32Array, Int16Array, Int8Array or Uint8Array (uint8 and bool).
 */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

/** A state dict: tensors by the original's key names, in file order, in PyTorch's layout (convolutions OIHW). */
export type StateDict = ReadonlyMap<string, TensorData>;
