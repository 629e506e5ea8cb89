import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';

/** One level's head as rows, without a copy. Row ((b * ny + y) * nx + x) * na + a is anchor a of a cell of image b. */
export interface HeadRows {
  /** [count, no]. */
  readonly rows: tf.Tensor2D;
  /** B * ny * nx * na. */
  readonly count: number;
  /** Lines of cells, B * ny: rows are summed within each line first, which keeps float32 sums exact enough. */
  readonly lines: number;
  readonly batch: number;
  readonly ny: number;
  readonly nx: number;
  readonly na: number;
  readonly no: number;
}

/** Views a head [B, ny, nx, na, no] as rows; differentiable. */
export function headRows(head: tf.Tensor5D): HeadRows {
  const [batch, ny, nx, na, no] = head.shape;
  const count = batch * ny * nx * na;
  return { rows: tf.reshape(head, [count, no]), count, lines: batch * ny, batch, ny, nx, na, no };
}

/** Column `index` of rows [n, no] as [n, 1]; differentiable. */
export const columnOf = (rows: tf.Tensor2D, index: number): tf.Tensor2D =>
  tf.slice(rows, [0, index], [-1, 1]);

/**
 * Throws E_LOSS unless `heads` are what `spec` describes; `whose` names them in the message.
 */
export function checkHeadTensors(heads: readonly tf.Tensor5D[], spec: HeadSpec, whose: string): void {
  const expected = `${spec.strides.length} tensors [B, ny, nx, ${spec.na}, ${spec.no}]`;
  const found = heads.map(({ shape }) => `[${shape.join(', ')}]`).join(' ');
  const fits =
    heads.length === spec.strides.length &&
    heads.every(({ shape }) => shape[3] === spec.na && shape[4] === spec.no);
  if (!fits) {
    throw new SoftshardError('E_LOSS', {
      message: `The ${whose}'s heads are not those of the student's model.`,
      expected,
      found: found === '' ? 'none' : found,
    });
  }
}

/** The teacher's heads, checked against the student's. Throws E_LOSS when they are missing or differ in shape. */
export function teacherHeads(
  heads: readonly tf.Tensor5D[] | undefined,
  student: readonly tf.Tensor5D[],
  spec: HeadSpec,
): readonly tf.Tensor5D[] {
  if (heads === undefined) {
    throw new SoftshardError('E_LOSS', {
      message: "An output term needs the teacher's heads.",
      found: 'a batch without them',
      remedy: 'Teach with heads, or set distill.output.kind to none.',
    });
  }
  checkHeadTensors(heads, spec, 'teacher');
  student.forEach((head, level) => {
    const other = heads[level];
    if (other !== undefined && !tf.util.arraysEqual(head.shape, other.shape)) {
      throw new SoftshardError('E_LOSS', {
        message: `Teacher and student differ in the shape of head ${level}.`,
        expected: `[${head.shape.join(', ')}] (student)`,
        found: `[${other.shape.join(', ')}] (teacher)`,
      });
    }
  });
  return heads;
}
