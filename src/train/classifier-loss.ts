/** The loss of a classifier's run: labels, the teacher's logits, and hints, on the footing of every other loss. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import {
  classificationWeights,
  createClassificationLoss,
  type ClassificationTarget,
} from '../loss/classification-loss.ts';
import type { ClassifierOptions } from '../loss/classifier-options.ts';
import { createHintLoss } from '../loss/hint.ts';
import type { LossTarget } from '../loss/loss.ts';
import { scheduleFactor } from '../loss/schedule.ts';
import { lossWeights, totalLoss } from '../loss/total.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { RunLoss } from './run-loss.ts';
import { runLossContext } from './run-loss-context.ts';

/** Logits [B,nc] of the one head of a classifier. */
export function logitsOf(heads: readonly tf.Tensor5D[] | undefined): tf.Tensor2D {
  const [head] = heads ?? [];
  if (head === undefined) throw new SoftshardError('E_LOSS', { message: 'A classifier gave no logits.' });
  return tf.reshape(head, [head.shape[0], head.shape[4]]);
}

/** The class of each image by its first label row; images without one count as unlabelled. */
export function imageClasses({ labels, labelled }: LossTarget): Omit<ClassificationTarget, 'teacher'> {
  const classes = new Array<number>(labelled.length).fill(NaN);
  for (let row = labels.length / 6 - 1; row >= 0; row--)
    classes[labels[row * 6] ?? 0] = labels[row * 6 + 1] ?? NaN;
  return { classes, labelled: labelled.map((known, i) => known && !Number.isNaN(classes[i])) };
}

/** The loss of a run whose student is a classifier that learns by `options`. */
export function createClassifierLoss(run: PreparedRun, options: ClassifierOptions, ops: EngineOps): RunLoss {
  const { distillation } = run;
  const loss = createClassificationLoss(options, ops);
  const hints = distillation.hints.length > 0 ? createHintLoss(distillation.hints) : undefined;
  const share = classificationWeights(options);
  return {
    features: [...new Set(distillation.hints.map((hint) => hint.student))],
    detections: undefined,
    of: (forward, values, target, { epoch, iteration }) => {
      const { epochs } = run.options;
      const known = imageClasses(target);
      const logits = logitsOf(forward.heads);
      const found = loss(logits, {
        ...known,
        ...(options.kind === 'none' ? {} : { teacher: logitsOf(target.teacher?.heads) }),
      });
      // Decoupled terms need the true class: a batch without a label teaches nothing.
      const isEmpty = Object.keys({ ...found.hard, ...found.output }).length === 0;
      const terms = isEmpty ? { hard: { cls: tf.mul<tf.Scalar>(tf.sum(logits), 0) } } : found;
      const weights = lossWeights(distillation, epoch, epochs);
      return totalLoss({
        ...terms,
        ...(hints === undefined
          ? {}
          : { hints: hints(forward, target, runLossContext(run, values, ops, iteration)) }),
        weights: {
          ...weights,
          hard: weights.hard * share.hard,
          output: share.output * scheduleFactor(options.schedule, epoch, epochs),
        },
        batch: target.labelled.length,
        labelledCount: known.labelled.filter(Boolean).length,
      });
    },
  };
}
