/**
 * Output distillation on raw logits: squared differences weighted by the teacher's objectness, as in Mehta and
 * Ozturk, "Object detection at 200 frames per second" (2018), in the form that YOLOv5 distillers use.
 */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import { columnSums } from './column-sums.ts';
import { columnOf, headRows, teacherHeads, type HeadRows } from './head-rows.ts';
import type { Loss } from './loss.ts';

/** Column means [no] of (student - teacher)^2 weighted by sigmoid(teacher objectness); differentiable in `student`. */
function weightedSquares({ rows, count, lines, no }: HeadRows, teacher: tf.Tensor2D): tf.Tensor1D {
  return withGradient<tf.Tensor1D>([rows], (save) => {
    const weights = tf.div<tf.Tensor2D>(tf.sigmoid(columnOf(teacher, 4)), count); // [n, 1]
    save(rows, teacher, weights);
    return {
      value: tf.reshape(columnSums(weights, tf.squaredDifference(rows, teacher), lines), [no]),
      gradient: (dy, saved) => {
        const [s, t, w] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const scale = tf.matMul(w, tf.reshape(tf.mul(dy, 2), [1, no])); // [n, no]
        return [tf.mul(tf.sub(s, t), scale)];
      },
    };
  });
}

/**
 * Makes the output term of kind `l2`. Per level, with w = sigmoid(teacher objectness):
 * box = mean w (s - t)^2 over the four box logits, obj likewise over objectness, cls over the classes (0 for one
 * class); each summed over the levels and times its gain. No level balance.
 *
 * It pulls only where the teacher sees something (w near 0 elsewhere), objectness included. Labels are not used:
 * every image counts. Throws E_LOSS when the teacher's heads are missing or differ in shape from the student's.
 */
export function createL2OutputLoss(): Loss {
  return (student, target, { head: spec, gains }) =>
    tf.tidy(() => {
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec);
      const means = tf.addN(
        student.heads.map((head, level) =>
          weightedSquares(headRows(head), headRows(teacher[level] as tf.Tensor5D).rows),
        ),
      ); // [no]
      return {
        box: tf.mul<tf.Scalar>(tf.mean(tf.slice(means, 0, 4)), gains.box),
        obj: tf.mul<tf.Scalar>(tf.sum(tf.slice(means, 4, 1)), gains.obj),
        cls: spec.nc > 1 ? tf.mul<tf.Scalar>(tf.mean(tf.slice(means, 5, spec.nc)), gains.cls) : tf.scalar(0),
      };
    });
}
