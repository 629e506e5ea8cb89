/**
 * Output distillation as the twin of the hard loss: the same cross entropies and the same CIoU, with the teacher's
 * probabilities and boxes as targets. Its scale is that of the hard loss, so that a weight of 1 is a safe start.
 */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { EngineOps } from '../engine/engine.ts';
import { withGradient } from '../engine/custom-gradient.ts';
import type { HeadSpec } from '../model/detector.ts';
import { ciou } from './box-overlap.ts';
import { columnSums } from './column-sums.ts';
import { decodeBoxes } from './decode-boxes.ts';
import { columnOf, headRows, teacherHeads, type HeadRows } from './head-rows.ts';
import { levelBalance } from './level-balance.ts';
import type { Loss } from './loss.ts';

/** Keeps a teacher that sees nothing at all from dividing by 0. */
const TINY = 1e-30;

export interface SoftOutputLossOptions {
  /** Divides the class logits of both; the term is multiplied by its square. > 0; 1 by default. */
  readonly temperature?: number;
  /** Boxes are learnt where the teacher's objectness exceeds it, 0...1; 0.01 by default. */
  readonly boxThreshold?: number;
  /** Weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
}

/**
 * Sums over rows of the cross entropy of `rows` against sigmoid(`teacher`), [2, no]: weighted by `weights`' first and
 * by its second column. Logits are multiplied by `sharpness` [no] first, where it is given. Differentiable in `rows`.
 */
function softEntropy(
  { rows, lines, no }: HeadRows,
  teacher: tf.Tensor2D,
  weights: tf.Tensor2D,
  sharpness: tf.Tensor1D | undefined,
): tf.Tensor2D {
  const times = (x: tf.Tensor2D, scale: tf.Tensor | undefined): tf.Tensor2D =>
    scale === undefined ? x : tf.mul(x, scale);
  return withGradient<tf.Tensor2D>([rows], (save) => {
    const target = tf.sigmoid(times(teacher, sharpness));
    save(rows, target, weights, ...(sharpness === undefined ? [] : [sharpness]));
    // BCE(x, p) = ln(1 + e^x) - x p: few passes over what is the largest tensor of a step.
    const logits = times(rows, sharpness);
    const entropy = tf.sub<tf.Tensor2D>(tf.softplus(logits), tf.mul(logits, target));
    return {
      value: columnSums(weights, entropy, lines),
      gradient: (dy, saved) => {
        const [s, p, w] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const scale = tf.matMul(w, times(tf.reshape(dy, [2, no]), saved[3])); // [n, no]
        return [tf.mul(tf.sub(tf.sigmoid(times(s, saved[3])), p), scale)];
      },
    };
  });
}

/** Rows where the teacher sees something, and their weights; both on the host. */
interface Selection {
  readonly rows: Int32Array;
  /** Teacher's objectness divided by its sum over the selected rows of the level. */
  readonly weights: Float32Array;
}

/** Selects from objectness logits the rows whose sigmoid exceeds `threshold`. */
function select(logits: ArrayLike<number>, threshold: number): Selection {
  const rows: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    const weight = 1 / (1 + Math.exp(-(logits[i] ?? NaN)));
    if (weight > threshold) {
      rows.push(i);
      weights.push(weight);
    }
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  return { rows: Int32Array.from(rows), weights: Float32Array.from(weights, (weight) => weight / sum) };
}

/** Anchor sizes [rows, 2] in grid units, flattened, of rows of a level. */
function anchorsOf(rows: Int32Array, level: number, { na, anchors, strides }: HeadSpec): number[] {
  const stride = strides[level] ?? NaN;
  return Array.from(rows).flatMap((row) => (anchors[level]?.[row % na] ?? []).map((side) => side / stride));
}

/** Sum over the levels of the weighted mean of 1 - CIoU over the selected rows. */
function boxTerm(
  ops: EngineOps,
  student: readonly HeadRows[],
  teacher: readonly HeadRows[],
  selections: readonly Selection[],
  spec: HeadSpec,
): tf.Scalar {
  const levels = selections.map((_, level) => level).filter((level) => selections[level]?.rows.length !== 0);
  if (levels.length === 0) return tf.scalar(0);
  const logits = (heads: readonly HeadRows[]): tf.Tensor2D => {
    const parts = levels.map((l) =>
      ops.gatherRows((heads[l] as HeadRows).rows, (selections[l] as Selection).rows),
    );
    return tf.slice(tf.concat(parts), [0, 0], [-1, 4]);
  };
  const sides = levels.flatMap((l) => anchorsOf((selections[l] as Selection).rows, l, spec));
  const anchors = tf.tensor2d(sides, [sides.length / 2, 2]);
  const weights = levels.flatMap((l) => Array.from((selections[l] as Selection).weights));
  const overlap = ciou(decodeBoxes(logits(student), anchors), decodeBoxes(logits(teacher), anchors));
  return tf.sum(tf.mul(tf.sub(1, overlap), tf.tensor1d(weights)));
}

/** The teacher's objectness logits on the host: the copy that came with the batch, else read from the device. */
function hostObjectness(
  heads: readonly HeadRows[],
  copy: readonly Float32Array[] | undefined,
): readonly ArrayLike<number>[] {
  if (copy === undefined) return heads.map(({ rows }) => columnOf(rows, 4).dataSync());
  heads.forEach(({ count }, level) => {
    const found = copy[level]?.length;
    if (found !== count) {
      throw new SoftshardError('E_LOSS', {
        message: `The teacher's objectness of level ${level} does not belong to its head.`,
        expected: `${count} values`,
        found: `${found ?? 'no'} values`,
      });
    }
  });
  return copy;
}

/**
 * Makes the output term of kind `soft`. Per level, over all its rows (images x cells x anchors), with
 * w = sigmoid(teacher objectness), s the student's and t the teacher's logits, T the temperature:
 *
 *     obj = balance * mean BCE(s_obj, w)
 *     cls = T^2 * sum w * mean_classes BCE(s_cls / T, sigmoid(t_cls / T)) / sum w          (0 for one class)
 *     box = sum w * (1 - CIoU(decoded s, decoded t)) / sum w, both sums over the rows with w > boxThreshold
 *
 * Each is summed over the levels and multiplied by the gain of the hard loss. Labels are not used: every image
 * counts, annotated or not. With `target.teacher.teacherObjectness` nothing is read back from the device.
 *
 * Throws E_LOSS when the teacher's heads are missing or differ in shape from the student's, or for a temperature
 * that is not positive.
 */
export function createSoftOutputLoss(options: SoftOutputLossOptions = {}): Loss {
  const { temperature = 1, boxThreshold = 0.01 } = options;
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new SoftshardError('E_LOSS', {
      message: 'The temperature of a soft term must be positive.',
      expected: '> 0',
      found: `${temperature}`,
    });
  }
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      const { nc, no } = spec;
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec).map(headRows);
      const heads = student.heads.map(headRows);
      const balance = options.balance ?? levelBalance(heads.length);
      const sharpness =
        temperature === 1
          ? undefined
          : tf.tensor1d(Array.from({ length: no }, (_, column) => (column < 5 ? 1 : 1 / temperature)));
      const sums = tf.addN(
        heads.map((head, level) => {
          const { rows: logits, count } = teacher[level] as HeadRows;
          const w = tf.sigmoid(columnOf(logits, 4)); // [n, 1]
          const total = tf.maximum(columnSums(tf.ones([count, 1]), w, head.lines), TINY); // [1, 1]
          const weights = tf.concat<tf.Tensor2D>(
            [
              tf.fill([count, 1], (balance[level] ?? 0) / count),
              tf.div<tf.Tensor2D>(tf.mul(w, temperature ** 2 / nc), total),
            ],
            1,
          ); // [n, 2]
          return softEntropy(head, logits, weights, sharpness);
        }),
      ); // [2, no]
      const selections = hostObjectness(teacher, target.teacher?.teacherObjectness).map((logits) =>
        select(logits, boxThreshold),
      );
      return {
        box: tf.mul<tf.Scalar>(boxTerm(ops, heads, teacher, selections, spec), gains.box),
        obj: tf.mul<tf.Scalar>(tf.sum(tf.slice(sums, [0, 4], [1, 1])), gains.obj),
        cls: nc > 1 ? tf.mul<tf.Scalar>(tf.sum(tf.slice(sums, [1, 5], [1, nc])), gains.cls) : tf.scalar(0),
      };
    });
}
