/** Element sizes, and typed arrays over little-endian bytes (which every platform of Node has). */
import { SoftshardError } from '../errors.ts';
import type { DType, NumericArray, TensorData } from '../model/tensor-data.ts';
import { decodeBFloat16 } from './bfloat16.ts';
import { decodeFloat16 } from './float16.ts';

/** Bytes an element takes, by dtype. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A typed array over `bytes`, which must be aligned to the element and a whole number of elements. */
export function typedArray(dtype: DType, bytes: Uint8Array<ArrayBuffer>): NumericArray {
  const { buffer, byteOffset } = bytes;
  const length = bytes.byteLength / ELEMENT_BYTES[dtype];
  switch (dtype) {
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int16':
      return new Int16Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return bytes;
  }
}

/** The bytes of a tensor, not copied. Throws E_INTERNAL when data and shape disagree. */
export function tensorBytes(tensor: TensorData): Uint8Array {
  const { data, dtype, shape } = tensor;
  if (data.length !== elementCount(shape) || data.BYTES_PER_ELEMENT !== ELEMENT_BYTES[dtype]) {
    throw new SoftshardError('E_INTERNAL', {
      message: 'A tensor has other data than its dtype and shape say.',
      expected: `${dtype} [${shape.join(', ')}]`,
      found: `${data.length} elements of ${data.BYTES_PER_ELEMENT} bytes`,
    });
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Reverses the bytes of every element in place. */
export function swapBytes(bytes: Uint8Array<ArrayBuffer>, elementBytes: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (elementBytes === 2) buffer.swap16();
  else if (elementBytes === 4) buffer.swap32();
  else if (elementBytes === 8) buffer.swap64();
}

/** A tensor of float32 values. */
export interface Float32Tensor extends TensorData {
  readonly dtype: 'float32';
  readonly data: Float32Array;
}

/** The tensor in float32: exact from float16, bfloat16 and small integers, rounded from float64 and int64. */
export function toFloat32(tensor: TensorData): Float32Tensor {
  return { dtype: 'float32', shape: tensor.shape, data: toFloat32Array(tensor) };
}

/** The values of a tensor as float32; float32 data come back as they are, not copied. */
export function toFloat32Array({ dtype, data }: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  const values = new Float32Array(data.length);
  if (data instanceof Uint16Array && dtype === 'float16') decodeFloat16(data, values);
  else if (data instanceof Uint16Array && dtype === 'bfloat16') decodeBFloat16(data, values);
  else values.set(data);
  return values;
}
