/** IEEE 754 half precision, rounded half to even, little-endian. Overflow is an error, never an infinity. */
import { SoftshardError } from '../../errors.ts';
import { decodeFloat16, encodeFloat16 } from '../../weights/float16.ts';
import type { Codec, CodecFactory } from '../codec.ts';
import { dtypeOf, elementsOf } from '../target.ts';
import { aligned, checkBlob, exactBounds, noParams } from './plain-array.ts';

/** What lies at or above this rounds to infinity: the midpoint between 65504 and 2^16. */
const OVERFLOW = 65520;

/** Throws E_CODEC for the first finite value that became infinite. */
function refuseOverflow(data: Float32Array, where: string): void {
  const index = data.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= OVERFLOW);
  if (index < 0) return;
  throw new SoftshardError('E_CODEC', {
    message: 'A value is too large for half precision.',
    expected: 'magnitudes below 65520',
    found: `${String(data[index])} at index ${index}`,
    where,
    remedy: 'Choose the codec fp32.',
  });
}

/** Makes the codec `fp16`; it has no parameters. Infinities and NaN stay what they are (NaN loses its payload). */
export const fp16: CodecFactory = (params): Codec => {
  noParams('fp16', params);
  return {
    name: 'fp16',
    params,
    dtype: 'float32',
    encode: (blob, where) => {
      checkBlob(blob, dtypeOf(blob) === 'float32', 'float32', where);
      const data = blob.data instanceof Float32Array ? blob.data : new Float32Array();
      const half = new Uint16Array(data.length);
      if (encodeFloat16(data, half) > 0) refuseOverflow(data, where);
      return new Uint8Array(half.buffer);
    },
    decode: (bytes, shape, where) => {
      const values = elementsOf(shape);
      const { buffer, byteOffset } = aligned(bytes, values, 2, where);
      const data = new Float32Array(values);
      decodeFloat16(new Uint16Array(buffer, byteOffset, values), data);
      return data;
    },
    boundsBytes: exactBounds(2),
  };
};
