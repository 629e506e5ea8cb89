/** Lossless float32: the bits as they are (also of NaN), little-endian. */
import type { Codec, CodecFactory } from '../codec.ts';
import { dtypeOf, elementsOf } from '../target.ts';
import { aligned, checkBlob, exactBounds, noParams } from './plain-array.ts';

/** Makes the codec `fp32`; it has no parameters. */
export const fp32: CodecFactory = (params): Codec => {
  noParams('fp32', params);
  return {
    name: 'fp32',
    params,
    dtype: 'float32',
    encode: (blob, where) => {
      checkBlob(blob, dtypeOf(blob) === 'float32', 'float32', where);
      return new Uint8Array(blob.data.buffer, blob.data.byteOffset, blob.data.byteLength);
    },
    decode: (bytes, shape, where) => {
      const values = elementsOf(shape);
      const { buffer, byteOffset } = aligned(bytes, values, 4, where);
      return new Float32Array(buffer, byteOffset, values);
    },
    boundsBytes: exactBounds(4),
  };
};
