/**
 * Output distillation on decoded values, in the form of Mehta and Ozturk, "Object detection at 200 frames per second"
 * (2018): squared differences of what the heads mean, objectness everywhere, boxes and classes where the teacher sees
 * something, after the suppression of its neighbouring answers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import { anchorRows } from './anchor-rows.ts';
import { columnSums } from './column-sums.ts';
import { featureMapNms } from './feature-map-nms.ts';
import { columnOf, headRows, teacherHeads, type HeadRows } from './head-rows.ts';
import { levelBalance } from './level-balance.ts';
import type { Loss } from './loss.ts';

/** Keeps a teacher that sees nothing at all from dividing by 0. */
const TINY = 1e-30;

export interface DecodedOutputLossOptions {
  /** `neighbourhood` (the default) suppresses neighbouring answers (see `featureMapNms`), `none` keeps them all. */
  readonly suppression?: 'neighbourhood' | 'none';
  /** Weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
}

/**
 * Sums over the rows of (sigmoid(rows) - target)^2, [r,no], weighted by each column of `weights` [n,r].
 * Differentiable in `rows`.
 */
function sigmoidSquares(
  { rows, lines, no }: HeadRows,
  target: tf.Tensor2D,
  weights: tf.Tensor2D,
): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([rows], (save) => {
    const own = tf.sigmoid(rows);
    save(own, target, weights);
    return {
      value: columnSums(weights, tf.squaredDifference(own, target), lines),
      gradient: (dy, saved) => {
        const [s, t, w] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const slope = tf.mul(tf.mul(s, tf.sub(1, s)), tf.mul(tf.sub(s, t), 2));
        return [tf.mul(slope, tf.matMul(w, tf.reshape(dy, [-1, no])))];
      },
    };
  });
}

/**
 * Makes the output term of kind `decoded`. With p = sigmoid(s) and q = sigmoid(t) of student and teacher, and
 * w = q_obj, or 0 for a suppressed row, per level and over all its rows:
 *
 *     obj = balance * mean (p_obj - w)^2
 *     box = sum w ((x_s - x_t)^2 + (y_s - y_t)^2 + (√w_s - √w_t)^2 + (√h_s - √h_t)^2) / sum w, in grid units
 *     cls = sum w * mean_classes (p - q)^2 / sum w          (0 for one class)
 *
 * Each is summed over the levels and multiplied by the gain of the hard loss. What the paper sums over the cells is
 * divided by sum w here, so that the terms do not depend on image size and share the hard loss's scale. Objectness is
 * learnt everywhere, also where the teacher says background. Labels are not used: every image counts. Nothing is
 * read back. Throws E_LOSS when the teacher's heads are missing or differ in shape from the student's.
 */
export function createDecodedOutputLoss(options: DecodedOutputLossOptions = {}): Loss {
  const { suppression = 'neighbourhood' } = options;
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec);
      const balance = options.balance ?? levelBalance(teacher.length);
      const { nc, no } = spec;
      /** Picks from [weights, columns] what counts for a term. */
      const pick = (sums: tf.Tensor2D, row: number, column: number, size = 1): tf.Scalar =>
        tf.sum(tf.slice(sums, [row, column], [1, size]));
      const sums = tf.addN(
        student.heads.map((head, level) => {
          const rows = headRows(head);
          const { count, lines } = rows;
          const theirs = teacher[level] as tf.Tensor5D;
          const probabilities = tf.sigmoid(headRows(theirs).rows);
          const sure = columnOf(probabilities, 4);
          const w = suppression === 'none' ? sure : tf.mul<tf.Tensor2D>(sure, featureMapNms(ops, theirs));
          const goal = tf.concat<tf.Tensor2D>(
            [tf.slice(probabilities, [0, 0], [-1, 4]), w, tf.slice(probabilities, [0, 5], [-1, nc])],
            1,
          );
          const share = tf.div<tf.Tensor2D>(w, tf.maximum(columnSums(tf.ones([count, 1]), w, lines), TINY));
          // x is 2 sigmoid - 0.5, and √w is 2 sigmoid times the root of the anchor's side.
          const bySide = tf.mul<tf.Tensor2D>(anchorRows(rows, level, spec), tf.mul(share, 4));
          const weights = tf.concat<tf.Tensor2D>(
            [share, bySide, tf.fill([count, 1], (balance[level] ?? 0) / count)],
            1,
          ); // [n, 4]: cls (and x, y), w, h, obj
          return sigmoidSquares(rows, goal, weights);
        }),
      ); // [4, no]
      const box = tf.addN([tf.mul<tf.Scalar>(pick(sums, 0, 0, 2), 4), pick(sums, 1, 2), pick(sums, 2, 3)]);
      return {
        box: tf.mul<tf.Scalar>(box, gains.box),
        obj: tf.mul<tf.Scalar>(pick(sums, 3, 4), gains.obj),
        cls: nc > 1 ? tf.mul<tf.Scalar>(pick(sums, 0, 5, no - 5), gains.cls / nc) : tf.scalar(0),
      };
    });
}
