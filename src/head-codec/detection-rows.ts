/**
 * The codec `rows`: a teacher's detections, [R, 5 + nc] float32 rows of class, cx, cy, w, h (0...1) and raw class
 * logits. A row takes 10 + 2 nc bytes, little-endian: the class as uint16, the box as four uint16 of 65535ths, and the
 * logits in half precision. R may be 0.
 */
import type { Codec, CodecFactory } from '../cache/codec.ts';
import { checkBlob, noParams } from '../cache/codecs/plain-array.ts';
import { corrupt } from '../cache/corrupt.ts';
import { dtypeOf } from '../cache/target.ts';
import { SoftshardError } from '../errors.ts';
import { decodeFloat16, encodeFloat16 } from '../weights/float16.ts';

/** Values of a row before its logits: class and box. */
export const ROW_HEAD = 5;

const BOX_STEPS = 65535;

/** Rows, and values a row, of a blob's shape; undefined for a shape that is none of detections. */
function rowsOf(shape: readonly number[]): { readonly rows: number; readonly width: number } | undefined {
  const [rows = 0, width = 0] = shape;
  return shape.length === 2 && width >= ROW_HEAD ? { rows, width } : undefined;
}

const refused = (found: string, expected: string, where: string): SoftshardError =>
  new SoftshardError('E_CODEC', {
    message: 'A value that the codec rows cannot represent.',
    ...{ expected, found, where },
  });

/** As `rowsOf`. Throws E_CODEC for another shape. */
function detectionsOf(
  shape: readonly number[],
  where: string,
): { readonly rows: number; readonly width: number } {
  const found = rowsOf(shape);
  if (found !== undefined) return found;
  throw refused(`shape [${shape.join(', ')}]`, '[R, 5 + classes]', where);
}

/** Writes class and box of a row. */
function encodeHead(row: Float32Array, into: Uint16Array, where: string): void {
  const [label = NaN, ...box] = row.subarray(0, ROW_HEAD);
  if (!Number.isInteger(label) || label < 0 || label > BOX_STEPS) {
    throw refused(`class ${label}`, 'a whole number from 0 to 65535', where);
  }
  into[0] = label;
  box.forEach((side, i) => {
    if (!(side >= 0 && side <= 1)) throw refused(`a box with ${side}`, 'sides of the view, 0 to 1', where);
    into[1 + i] = Math.round(side * BOX_STEPS);
  });
}

/** Makes the codec `rows`; it has no parameters. */
export const detectionRows: CodecFactory = (params): Codec => {
  noParams('rows', params);
  return {
    name: 'rows',
    params,
    dtype: 'float32',
    encode: (blob, where) => {
      checkBlob(blob, dtypeOf(blob) === 'float32', 'float32', where);
      const data = blob.data instanceof Float32Array ? blob.data : new Float32Array();
      const { rows, width } = detectionsOf(blob.shape, where);
      const words = new Uint16Array(rows * width);
      for (let r = 0; r < rows; r++) {
        const row = data.subarray(r * width, (r + 1) * width);
        const into = words.subarray(r * width, (r + 1) * width);
        encodeHead(row, into, where);
        const logits = row.subarray(ROW_HEAD);
        encodeFloat16(logits, into.subarray(ROW_HEAD));
        if (logits.some((logit) => !(Math.abs(logit) < 65520))) {
          throw refused(`logits ${logits.join(', ')}`, 'magnitudes below 65520', where);
        }
      }
      return new Uint8Array(words.buffer);
    },
    decode: (bytes, shape, where) => {
      const { rows, width } = detectionsOf(shape, where);
      if (bytes.byteLength !== 2 * rows * width) {
        throw corrupt(where, `${bytes.byteLength} bytes`, { expected: `${2 * rows * width} bytes` });
      }
      const words = new Uint16Array(Uint8Array.from(bytes).buffer);
      const data = new Float32Array(rows * width);
      for (let r = 0; r < rows; r++) {
        const from = words.subarray(r * width, (r + 1) * width);
        const row = data.subarray(r * width, (r + 1) * width);
        row[0] = from[0] ?? 0;
        for (let i = 1; i < ROW_HEAD; i++) row[i] = (from[i] ?? 0) / BOX_STEPS;
        decodeFloat16(from.subarray(ROW_HEAD), row.subarray(ROW_HEAD));
      }
      return data;
    },
    boundsBytes: (shape) => {
      const { rows, width } = rowsOf(shape) ?? { rows: 0, width: 0 };
      return { min: 2 * rows * width, max: 2 * rows * width };
    },
  };
};
