/**
 * Eight bits a value between the least and the largest of its channel (the last axis), which are kept exactly: for
 * features. Nothing is clipped; the error is at most half a step, (largest - least) / 510.
 */
import { SoftshardError } from '../../errors.ts';
import type { ByteBounds, Codec, CodecFactory } from '../codec.ts';
import { corrupt } from '../corrupt.ts';
import { dtypeOf, elementsOf } from '../target.ts';
import { checkBlob, noParams } from './plain-array.ts';

const LEVELS = 255;
/** Two float32 a channel. */
const RANGE_BYTES = 8;

const channelsOf = (shape: readonly number[]): number => shape.at(-1) ?? 1;

const boundsBytes = (shape: readonly number[]): ByteBounds => {
  const bytes = RANGE_BYTES * channelsOf(shape) + elementsOf(shape);
  return { min: bytes, max: bytes };
};

/**
 * Least and largest value of each channel, alternating; 0 where there is no value, and for -0, whose sign decoding
 * would not keep. Throws E_CODEC unless all are finite.
 */
function rangesOf(data: Float32Array, channels: number, where: string): Float32Array {
  const ranges = new Float32Array(2 * channels);
  for (let i = 0, c = 0; i < data.length; i++) {
    const value = data[i] ?? 0;
    if (!Number.isFinite(value)) {
      throw new SoftshardError('E_CODEC', {
        message: 'A value that the codec int8 cannot store.',
        expected: 'finite values',
        found: `${String(value)} at index ${i}`,
        where,
        remedy: 'Choose the codec fp32.',
      });
    }
    if (i < channels || value < (ranges[2 * c] ?? 0)) ranges[2 * c] = value + 0;
    if (i < channels || value > (ranges[2 * c + 1] ?? 0)) ranges[2 * c + 1] = value + 0;
    c = c + 1 === channels ? 0 : c + 1;
  }
  return ranges;
}

const levelOf = (value: number, least: number, largest: number): number =>
  largest > least ? Math.round(((value - least) / (largest - least)) * LEVELS) : 0;

const valueOf = (level: number, least: number, largest: number): number =>
  level === LEVELS ? largest : Math.fround(least + (largest - least) * (level / LEVELS));

/** Makes the codec `int8`; it has no parameters. */
export const int8: CodecFactory = (params): Codec => {
  noParams('int8', params);
  return {
    name: 'int8',
    params,
    dtype: 'float32',
    encode: (blob, where) => {
      checkBlob(blob, dtypeOf(blob) === 'float32', 'float32', where);
      const data = blob.data instanceof Float32Array ? blob.data : new Float32Array();
      const channels = channelsOf(blob.shape);
      const ranges = rangesOf(data, channels, where);
      const out = new Uint8Array(boundsBytes(blob.shape).max);
      out.set(new Uint8Array(ranges.buffer));
      for (let i = 0, c = 0, at = RANGE_BYTES * channels; i < data.length; i++, at++) {
        const least = ranges[2 * c] ?? 0;
        const largest = ranges[2 * c + 1] ?? 0;
        const level = levelOf(data[i] ?? 0, least, largest);
        // Of levels that float32 cannot tell apart, the one that the decoded value has.
        out[at] = levelOf(valueOf(level, least, largest), least, largest);
        c = c + 1 === channels ? 0 : c + 1;
      }
      return out;
    },
    decode: (bytes, shape, where) => {
      const { max } = boundsBytes(shape);
      if (bytes.byteLength !== max) {
        throw corrupt(where, `${bytes.byteLength} bytes`, { expected: `${max} bytes` });
      }
      const channels = channelsOf(shape);
      const ranges = new Float32Array(Uint8Array.from(bytes.subarray(0, RANGE_BYTES * channels)).buffer);
      const data = new Float32Array(elementsOf(shape));
      for (let i = 0, c = 0, at = RANGE_BYTES * channels; i < data.length; i++, at++) {
        data[i] = valueOf(bytes[at] ?? 0, ranges[2 * c] ?? 0, ranges[2 * c + 1] ?? 0);
        c = c + 1 === channels ? 0 : c + 1;
      }
      return data;
    },
    boundsBytes,
  };
};
