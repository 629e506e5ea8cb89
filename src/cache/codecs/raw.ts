/** Bytes as they are: uint8 blobs such as pixels. */
import type { Codec, CodecFactory } from '../codec.ts';
import { dtypeOf, elementsOf } from '../target.ts';
import { aligned, checkBlob, exactBounds, noParams } from './plain-array.ts';

/** Makes the codec `raw`; it has no parameters. */
export const raw: CodecFactory = (params): Codec => {
  noParams('raw', params);
  return {
    name: 'raw',
    params,
    dtype: 'uint8',
    encode: (blob, where) => {
      checkBlob(blob, dtypeOf(blob) === 'uint8', 'uint8', where);
      return new Uint8Array(blob.data.buffer, blob.data.byteOffset, blob.data.byteLength);
    },
    decode: (bytes, shape, where) => {
      const values = elementsOf(shape);
      const { buffer, byteOffset } = aligned(bytes, values, 1, where);
      return new Uint8Array(buffer, byteOffset, values);
    },
    boundsBytes: exactBounds(1),
  };
};
