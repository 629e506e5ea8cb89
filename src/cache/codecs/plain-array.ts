/** What the codecs that store one fixed-size number a value have in common. */
import { SoftshardError } from '../../errors.ts';
import type { ByteBounds, CodecParams } from '../codec.ts';
import { corrupt } from '../corrupt.ts';
import { elementsOf } from '../target.ts';

/** Exact size of `bytesPerValue` bytes a value. */
export const exactBounds =
  (bytesPerValue: number) =>
  (shape: readonly number[]): ByteBounds => {
    const bytes = bytesPerValue * elementsOf(shape);
    return { min: bytes, max: bytes };
  };

/** Throws E_CODEC when a codec that takes no parameters is given some. */
export function noParams(name: string, params: CodecParams): void {
  const key = Object.keys(params)[0];
  if (key === undefined) return;
  throw new SoftshardError('E_CODEC', {
    message: `The codec ${name} has no parameters.`,
    expected: name,
    found: `${name}:${key}=${params[key] ?? ''}`,
  });
}

/** Throws E_CODEC when a blob's dtype is not the codec's, or its data do not fill its shape. */
export function checkBlob(
  blob: { readonly data: Float32Array | Uint8Array; readonly shape: readonly number[] },
  fits: boolean,
  expected: string,
  where: string,
): void {
  const values = elementsOf(blob.shape);
  if (fits && blob.data.length === values) return;
  throw new SoftshardError('E_CODEC', {
    message: 'A blob that its codec cannot take.',
    expected: `${values} ${expected} values`,
    found: `${blob.data.length} values in a ${blob.data.constructor.name}`,
    where,
  });
}

/** The bytes in a buffer of their own when they do not lie at a multiple of `alignment`. */
export function aligned(
  bytes: Uint8Array,
  values: number,
  bytesPerValue: number,
  where: string,
): { readonly buffer: ArrayBufferLike; readonly byteOffset: number } {
  if (bytes.byteLength !== values * bytesPerValue) {
    throw corrupt(where, `${bytes.byteLength} bytes`, { expected: `${values * bytesPerValue} bytes` });
  }
  const { buffer, byteOffset } = byteOffsetFits(bytes, bytesPerValue) ? bytes : Uint8Array.from(bytes);
  return { buffer, byteOffset };
}

const byteOffsetFits = (bytes: Uint8Array, alignment: number): boolean => bytes.byteOffset % alignment === 0;
