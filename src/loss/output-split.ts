/**
 * Output distillation split by what a column means: cross entropy of centres, classes and objectness, absolute
 * differences of sizes; the form that YOLOv5's first distiller took over from PaddleDetection.
 */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import { columnSums } from './column-sums.ts';
import { blockSuppression, featureMapNms } from './feature-map-nms.ts';
import { columnOf, headRows, teacherHeads, type HeadRows } from './head-rows.ts';
import { hostObjectness } from './host-objectness.ts';
import { levelBalance } from './level-balance.ts';
import type { Gains, Loss } from './loss.ts';

/** Keeps a teacher that sees nothing at all from dividing by 0. */
const TINY = 1e-30;

/** `mended` weighs rows as it was meant, `original` as the first implementation does: see `createSplitOutputLoss`. */
export const SPLIT_FORMS = ['mended', 'original'] as const;
export type SplitForm = (typeof SPLIT_FORMS)[number];

export interface SplitOutputLossOptions {
  /** `mended` by default. */
  readonly form?: SplitForm;
  /** Of `mended`: whether neighbouring answers are suppressed; `neighbourhood` by default. */
  readonly suppression?: 'neighbourhood' | 'none';
  /** Of `mended`: weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
}

/**
 * Sums over the rows, [3,no], weighted by the three columns of `weights`: of the cross entropy against `target`
 * (absolute difference from `teacher` in the columns of sizes). Differentiable in `rows`.
 */
function splitSums(
  { rows, lines, no }: HeadRows,
  teacher: tf.Tensor2D,
  target: tf.Tensor2D,
  weights: tf.Tensor2D,
): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([rows], (save) => {
    const size = tf.tensor1d(Array.from({ length: no }, (_, k) => (k === 2 || k === 3 ? 1 : 0)));
    save(rows, teacher, target, weights, size);
    const entropy = tf.sub<tf.Tensor2D>(tf.softplus(rows), tf.mul(rows, target));
    const values = tf.add<tf.Tensor2D>(
      tf.mul(entropy, tf.sub(1, size)),
      tf.mul(tf.abs(tf.sub(rows, teacher)), size),
    );
    return {
      value: columnSums(weights, values, lines),
      gradient: (dy, saved) => {
        const [s, t, p, w, wh] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
        const slope = tf.add(
          tf.mul(tf.sub(tf.sigmoid(s), p), tf.sub(1, wh)),
          tf.mul(tf.sign(tf.sub(s, t)), wh),
        );
        return [tf.mul(slope, tf.matMul(w, dy))];
      },
    };
  });
}

/** Sigmoids of the teacher's rows, with 1 for objectness above 1/2 and 0 for the rest. */
function targetsOf(rows: tf.Tensor2D, stays: tf.Tensor2D, nc: number): tf.Tensor2D {
  const probabilities = tf.sigmoid(rows);
  const seen = tf.mul<tf.Tensor2D>(tf.cast(tf.greater(columnOf(rows, 4), 0), 'float32'), stays);
  return tf.concat<tf.Tensor2D>(
    [tf.slice(probabilities, [0, 0], [-1, 4]), seen, tf.slice(probabilities, [0, 5], [-1, nc])],
    1,
  );
}

/** Weights of cross entropy, size and objectness [n,3]. */
type Weigh = (sure: tf.Tensor2D, rows: HeadRows, level: number) => tf.Tensor2D;

function termsOf(
  sums: tf.Tensor2D,
  nc: number,
  gains: Gains,
): Readonly<Record<'box' | 'obj' | 'cls', tf.Scalar>> {
  const pick = (row: number, column: number, size: number): tf.Scalar =>
    tf.sum(tf.slice(sums, [row, column], [1, size]));
  return {
    box: tf.mul<tf.Scalar>(tf.add(pick(0, 0, 2), pick(1, 2, 2)), gains.box),
    obj: tf.mul<tf.Scalar>(pick(2, 4, 1), gains.obj),
    cls: nc > 1 ? tf.mul<tf.Scalar>(pick(0, 5, nc), gains.cls / nc) : tf.scalar(0),
  };
}

const ONE: Gains = { box: 1, obj: 1, cls: 1 };

/**
 * Makes the output term of kind `split`. Per level, with w = sigmoid(teacher objectness), 0 for a suppressed row:
 *
 *     box = sum w (BCE(s_x, σ(t_x)) + BCE(s_y, σ(t_y)) + |s_w - t_w| + |s_h - t_h|) / sum w
 *     cls = sum w * mean_classes BCE(s_c, σ(t_c)) / sum w          (0 for one class)
 *     obj = balance * mean BCE(s_obj, 1 where the teacher's objectness exceeds 1/2, else 0)
 *
 * Each is summed over the levels and multiplied by the gain of the hard loss.
 *
 * `original` keeps three mistakes of the first implementation, to compare with it: suppressed rows have their logits
 * set to 0, which means objectness 1/2 and so a weight above that of most objects (see `blockSuppression`); the cross
 * entropies are reduced to their means before they are weighted, so that every row weighs the same; and no gain puts
 * the terms on a scale. Its objectness terms are read back unless they come with the batch; `mended` reads nothing.
 *
 * Labels are not used: every image counts. Throws E_LOSS when the teacher's heads are missing or differ in shape.
 */
export function createSplitOutputLoss(options: SplitOutputLossOptions = {}): Loss {
  const { form = 'mended', suppression = 'neighbourhood' } = options;
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec);
      const theirs = teacher.map(headRows);
      const balance = options.balance ?? levelBalance(teacher.length);
      const blocks =
        form === 'original' ? hostObjectness(theirs, target.teacher?.teacherObjectness) : undefined;

      const mended: Weigh = (sure, { count, lines }, level) => {
        const share = tf.div<tf.Tensor2D>(
          sure,
          tf.maximum(columnSums(tf.ones([count, 1]), sure, lines), TINY),
        );
        return tf.concat([share, share, tf.fill([count, 1], (balance[level] ?? 0) / count)], 1);
      };
      const original: Weigh = (sure, { count, lines }) => {
        const mean = tf.div(columnSums(tf.ones([count, 1]), sure, lines), count * count); // [1, 1]
        const ones = tf.ones<tf.Rank.R2>([count, 1]);
        return tf.concat(
          [
            tf.mul<tf.Tensor2D>(ones, mean),
            tf.div<tf.Tensor2D>(sure, count),
            tf.div<tf.Tensor2D>(ones, count),
          ],
          1,
        );
      };

      const sums = tf.addN(
        student.heads.map((head, level) => {
          const own = headRows(head);
          const raw = (theirs[level] as HeadRows).rows;
          if (blocks === undefined) {
            const stays =
              suppression === 'none'
                ? tf.ones<tf.Rank.R2>([own.count, 1])
                : featureMapNms(ops, teacher[level] as tf.Tensor5D);
            const sure = tf.mul<tf.Tensor2D>(tf.sigmoid(columnOf(raw, 4)), stays);
            return splitSums(own, raw, targetsOf(raw, stays, spec.nc), mended(sure, own, level));
          }
          const stays = tf.tensor2d(blockSuppression(blocks[level] ?? [], own), [own.count, 1]);
          const zeroed = tf.mul<tf.Tensor2D>(raw, stays);
          const sure = tf.sigmoid(columnOf(zeroed, 4));
          return splitSums(own, zeroed, targetsOf(zeroed, stays, spec.nc), original(sure, own, level));
        }),
      ); // [3, no]
      return termsOf(sums, spec.nc, form === 'original' ? ONE : gains);
    });
}
