/**
 * The codec `sparse` of detection heads, one blob [ny, nx, na, no] a level: a dense map of objectness, quantised more
 * finely where the losses give it weight; boxes and classes of the rows that count most, as differences from what the
 * rows around them predict; and for all others the mean box and the mean class logits, weighted as the losses do, so
 * that the expected gradient stays right. The error is chosen by the parameters and measured elsewhere.
 */
import { checkBlob } from '../cache/codecs/plain-array.ts';
import type { Codec, CodecFactory } from '../cache/codec.ts';
import { dtypeOf, elementsOf } from '../cache/target.ts';
import { SoftshardError } from '../errors.ts';
import { decodeHead } from './decode-head.ts';
import { encodeHead } from './encode-head.ts';
import { headShape } from './head-shape.ts';
import { sparseOptions, sparseParams } from './sparse-options.ts';
import { LARGEST_LOGIT } from './units.ts';

function notAHead(shape: readonly number[], where: string): SoftshardError {
  return new SoftshardError('E_CODEC', {
    message: 'The codec sparse takes detection heads only.',
    expected: 'shape [ny, nx, na, 5 + classes]',
    found: `[${shape.join(', ')}]`,
    where,
    remedy: 'Choose another codec for this answer, such as fp16.',
  });
}

/** Throws E_CODEC for the first value that cannot be stored. */
function refuseUnfit(data: Float32Array, where: string): void {
  const index = data.findIndex((value) => !(Math.abs(value) < LARGEST_LOGIT));
  if (index < 0) return;
  throw new SoftshardError('E_CODEC', {
    message: 'A logit that the codec sparse cannot store.',
    expected: `finite, of a magnitude below ${LARGEST_LOGIT}`,
    found: `${String(data[index])} at index ${index}`,
    where,
    remedy: 'Choose the codec fp32.',
  });
}

/** Makes the codec `sparse`; see `SparseOptions` for its parameters, all of which have defaults. */
export const sparse: CodecFactory = (params): Codec => {
  const options = sparseOptions(params);
  return {
    name: 'sparse',
    params: sparseParams(options),
    dtype: 'float32',
    encode: (blob, where) => {
      const shape = headShape(blob.shape);
      checkBlob(blob, dtypeOf(blob) === 'float32', 'float32', where);
      if (shape === undefined) throw notAHead(blob.shape, where);
      const data = blob.data instanceof Float32Array ? blob.data : new Float32Array();
      refuseUnfit(data, where);
      return encodeHead(data, shape, options);
    },
    decode: (bytes, dims, where) => {
      const shape = headShape(dims);
      if (shape === undefined) throw notAHead(dims, where);
      return decodeHead(bytes, shape, options, where);
    },
    boundsBytes: (dims) => {
      return { min: 0, max: 4096 + 8 * elementsOf(dims) };
    },
    // At the default parameters, 28 KB for the 25,200 rows of 85 of a 640 x 640 view.
    usualBytes: (dims) => {
      const rows = elementsOf(dims.slice(0, 3));
      return Math.ceil(rows * (0.3 + (dims[3] ?? 0) / 100));
    },
  };
};
