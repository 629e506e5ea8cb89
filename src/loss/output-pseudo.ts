/**
 * Output distillation by pseudo-labels: the teacher's detections after non-maximum suppression are assigned to cells
 * and anchors as labels are, and carry the teacher's class logits.
 */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';
import { assignedLoss, type AssignedLossOptions } from './assigned-loss.ts';
import { meanWeights, type AssignedLevel } from './assigned-levels.ts';
import { bernoulliDivergence } from './bernoulli-divergence.ts';
import { checkedTemperature } from './checked-temperature.ts';
import { checkHeadTensors, teacherHeads } from './head-rows.ts';
import type { Loss, LossTarget } from './loss.ts';
import { pseudoLabelOptions, pseudoLabels, type PseudoLabelOptions } from './pseudo-labels.ts';
import { weightedSoftmaxDivergence } from './soft-classes.ts';

export interface PseudoLabelLossOptions extends Partial<PseudoLabelOptions>, AssignedLossOptions {
  /**
   * How class logits are compared: squared differences (`l2`, the default), KL of the softmax (`softmax`) or of each
   * sigmoid (`sigmoid`), the two with a temperature.
   */
  readonly classes?: 'l2' | 'softmax' | 'sigmoid';
  /** Of `softmax` and `sigmoid`, times its square; 1 by default. */
  readonly temperature?: number;
  /** Weight of the class term against box and objectness; 0.05 by default. */
  readonly ratio?: number;
}

/** The rows that came with the batch, else those of its heads, which are read from the device. */
function rowsOf(
  { teacher }: LossTarget,
  heads: readonly tf.Tensor5D[],
  spec: HeadSpec,
  options: PseudoLabelOptions,
): Float32Array {
  if (teacher?.rows !== undefined) {
    if (teacher.rows.length % (6 + spec.nc) === 0) return teacher.rows;
    throw new SoftshardError('E_LOSS', {
      message: "The teacher's detections are not rows of the student's classes.",
      expected: `a multiple of ${6 + spec.nc} values (image, class, box, ${spec.nc} logits)`,
      found: `${teacher.rows.length} values`,
    });
  }
  const host = teacherHeads(teacher?.heads, heads, spec).map((head) => ({
    shape: head.shape.slice(1),
    data: head.dataSync<'float32'>(),
  }));
  return pseudoLabels(host, heads[0]?.shape[0] ?? 0, spec, options);
}

function classTerm(
  rows: tf.Tensor2D,
  levels: readonly AssignedLevel[],
  logits: readonly ArrayLike<number>[],
  { nc }: HeadSpec,
  { classes = 'l2', temperature = 1 }: PseudoLabelLossOptions,
): tf.Scalar {
  const own = tf.slice<tf.Rank.R2, tf.Tensor2D>(rows, [0, 5], [-1, nc]);
  const wanted = levels.flatMap(({ assigned }) =>
    Array.from(assigned.label, (label) => Array.from(logits[label] ?? [])),
  );
  const theirs = tf.tensor2d(wanted, [wanted.length, nc]);
  const averaged = (values: tf.Tensor2D, scale: number): tf.Scalar =>
    tf.sum(tf.mul(tf.sum(values, 1), meanWeights(levels, scale)));
  const softened = (x: tf.Tensor2D): tf.Tensor2D => tf.mul(x, 1 / temperature);
  switch (classes) {
    case 'l2':
      return averaged(tf.square(tf.sub<tf.Tensor2D>(own, theirs)), 1 / nc);
    case 'sigmoid':
      return averaged(bernoulliDivergence(softened(own), softened(theirs)), temperature ** 2 / nc);
    case 'softmax':
      return weightedSoftmaxDivergence(
        own,
        theirs,
        tf.reshape<tf.Rank.R2>(meanWeights(levels), [-1, 1]),
        temperature,
      );
  }
}

/**
 * Makes the output term of kind `pseudo`. The teacher's detections are label rows (see `pseudoLabels`): `box` and
 * `obj` are those of the hard loss against them, and `cls` is `ratio` times the mean distance of the student's class
 * logits, where a detection was assigned, from the teacher's. Each is summed over the levels and multiplied by the
 * gain of the hard loss. The labels are not used: every image counts, annotated or not; an image in which the teacher
 * finds nothing teaches background.
 *
 * With `target.teacher.rows` nothing is read back from the device, and no heads are needed. Throws E_LOSS when both
 * are missing or do not fit the student's head, or for a temperature that is not positive.
 */
export function createPseudoLabelLoss(options: PseudoLabelLossOptions = {}): Loss {
  const { ratio = 0.05 } = options;
  checkedTemperature(options.temperature ?? 1);
  const selection = pseudoLabelOptions(options);
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      checkHeadTensors(student.heads, spec, 'student');
      const rows = rowsOf(target, student.heads, spec, selection);
      const width = 6 + spec.nc;
      const each = Array.from({ length: rows.length / width }, (_, i) =>
        rows.subarray(i * width, (i + 1) * width),
      );
      const labels = Float32Array.from(each.flatMap((row) => Array.from(row.subarray(0, 6))));
      const logits = each.map((row) => row.subarray(6));
      const { box, obj, cls } = assignedLoss(
        ops,
        student.heads,
        { labels, labelled: target.labelled.map(() => true) },
        spec,
        options,
        (assigned, levels) => classTerm(assigned, levels, logits, spec, options),
      );
      return {
        box: tf.mul<tf.Scalar>(box, gains.box),
        obj: tf.mul<tf.Scalar>(obj, gains.obj),
        cls: tf.mul<tf.Scalar>(cls, gains.cls * ratio),
      };
    });
}
