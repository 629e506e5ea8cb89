/** Kullback-Leibler divergence of whole rows, as YOLOv5's first distiller has it beside its squared differences. */
import * as tf from '@tensorflow/tfjs-core';
import { checkedTemperature } from './checked-temperature.ts';
import { headRows, teacherHeads } from './head-rows.ts';
import type { Loss } from './loss.ts';
import { softTargets } from './soft-targets.ts';

/** The factor that it carries there. */
const SCALE = 1e-4;

/**
 * Makes the output term of kind `kl`: `all` = 1e-4 T^2 / B times the sum of KL(softmax(t/T) || softmax(s/T)) over all
 * rows of all levels, each softmax running over the WHOLE row (box, objectness and classes); T is 3 by default.
 *
 * It is kept for comparison. A softmax over box coordinates, objectness and classes makes one distribution of what is
 * none, does not see a shift of all logits (so neither confidence), and weighs background rows as much as objects;
 * the sum over the rows makes it grow with the image. `soft` with `classes: softmax` is the same idea without these.
 * Labels are not used: every image counts. Throws E_LOSS when the teacher's heads are missing or differ in shape, or
 * for a temperature that is not positive.
 */
export function createKlOutputLoss({ temperature = 3 }: { readonly temperature?: number } = {}): Loss {
  checkedTemperature(temperature);
  return (student, target, { head: spec }) =>
    tf.tidy(() => {
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec);
      const levels = student.heads.map((head, level) => {
        const { rows, count, batch } = headRows(head);
        const divergence = softTargets(rows, headRows(teacher[level] as tf.Tensor5D).rows, { temperature });
        return tf.mul<tf.Scalar>(divergence, (SCALE * count) / batch);
      });
      return { all: tf.addN(levels) };
    });
}
