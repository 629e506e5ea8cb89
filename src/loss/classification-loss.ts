/** The losses of a classifier: cross entropy with labels, and a teacher's logits by temperature or decoupled. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { ClassificationOptions } from './classifier-options.ts';
import { decoupledTargets } from './decoupled-targets.ts';
import type { LossTerms } from './loss.ts';
import { crossEntropy, softSigmoidTargets, softTargets } from './soft-targets.ts';

/** What a batch of a classifier offers to learn from. */
export interface ClassificationTarget {
  /** Class of every image; read where `labelled` is true. Length B. */
  readonly classes: ArrayLike<number>;
  readonly labelled: readonly boolean[];
  /** The teacher's logits [B,N], raw. */
  readonly teacher?: tf.Tensor2D;
}

/** Unweighted means over the images that each term knows: `hard` over labelled ones, `output` over all. */
export interface ClassificationTerms {
  readonly hard: LossTerms;
  readonly output: LossTerms;
}

/** The weights that `alpha` means, for `totalLoss`; without distillation the hard loss weighs 1. */
export const classificationWeights = ({
  kind,
  alpha,
}: Pick<ClassificationOptions, 'kind' | 'alpha'>): { readonly hard: number; readonly output: number } =>
  kind === 'none' ? { hard: 1, output: 0 } : { hard: 1 - alpha, output: alpha };

/**
 * Makes the loss of logits [B,N]: `hard.cls`, mean cross entropy of the labelled images, and `output.cls`, the soft
 * term, mean over all images, labelled or not; of `dkd` over the labelled ones, since it needs the true class:
 * its terms are `output.target` and `output.rest`, times their weights. Without a labelled image the terms that
 * need one are left out. The caller disposes the terms.
 *
 * Throws E_LOSS when the teacher's logits are missing or of another shape, or a class does not exist.
 */
export function createClassificationLoss(
  options: ClassificationOptions,
  ops: EngineOps,
): (student: tf.Tensor2D, target: ClassificationTarget) => ClassificationTerms {
  const { kind, temperature } = options;
  return (student, { classes, labelled, teacher }) => {
    const known = labelled.flatMap((yes, row) => (yes ? [row] : []));
    const rows = Int32Array.from(known);
    const truth = known.map((row) => classes[row] ?? NaN);
    /** The labelled rows; the tensor itself where every row is. */
    const labelledRows = (logits: tf.Tensor2D): tf.Tensor2D =>
      known.length === labelled.length ? logits : ops.gatherRows(logits, rows);
    const hard = known.length === 0 ? {} : { cls: tf.tidy(() => crossEntropy(labelledRows(student), truth)) };
    if (kind === 'none') return { hard, output: {} };
    const logits = teacherLogits(student, teacher);
    switch (kind) {
      case 'softmax':
        return { hard, output: { cls: softTargets(student, logits, { temperature }) } };
      case 'sigmoid':
        return { hard, output: { cls: softSigmoidTargets(ops, student, logits, { temperature }) } };
      case 'dkd': {
        if (known.length === 0) return { hard, output: {} };
        const output = tf.tidy(() => {
          const terms = decoupledTargets(labelledRows(student), labelledRows(logits), truth, { temperature });
          return {
            target: tf.mul<tf.Scalar>(terms.target, options.target),
            rest: tf.mul<tf.Scalar>(terms.rest, options.rest),
          };
        });
        return { hard, output };
      }
    }
  };
}

function teacherLogits(student: tf.Tensor2D, teacher: tf.Tensor2D | undefined): tf.Tensor2D {
  if (teacher !== undefined && tf.util.arraysEqual(student.shape, teacher.shape)) return teacher;
  throw new SoftshardError('E_LOSS', {
    message: "A soft term needs the teacher's logits, of the student's classes.",
    expected: `[${student.shape.join(', ')}]`,
    found: teacher === undefined ? 'none' : `[${teacher.shape.join(', ')}]`,
  });
}
