/**
 * The loss against labels (YOLOv5 v7.0 convention): boxes by CIoU and classes by cross entropy where labels were
 * assigned, objectness by cross entropy everywhere, its target being the clamped CIoU of the present prediction.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadSpec } from '../model/detector.ts';
import type { EngineOps } from '../engine/engine.ts';
import { withGradient } from '../engine/custom-gradient.ts';
import { joined, meanWeights, type AssignedLevel } from './assigned-levels.ts';
import { assignedLoss, type AssignedLossOptions } from './assigned-loss.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { checkHeadTensors } from './head-rows.ts';
import type { Loss } from './loss.ts';
import { usableLabels } from './usable-labels.ts';

export interface HardLossOptions extends AssignedLossOptions {
  /** Weight of the positives in the class cross entropy; 1 by default. */
  readonly clsPw?: number;
  /** 0...1; class targets become eps/2 and 1 - eps/2. 0 by default. */
  readonly labelSmoothing?: number;
}

/** A zero that depends on `heads` and hands each a zero gradient. */
function zeroOf(heads: readonly tf.Tensor5D[]): tf.Scalar {
  return withGradient<tf.Scalar>(heads, () => ({
    value: tf.scalar(0),
    gradient: () => heads.map(({ shape }) => tf.zeros(shape)),
  }));
}

/** Class logits against smoothed one-hot targets; a sum of the levels' means over rows and classes. */
function classTerm(
  ops: EngineOps,
  rows: tf.Tensor2D,
  levels: readonly AssignedLevel[],
  { nc }: HeadSpec,
  { labelSmoothing = 0, clsPw = 1, flGamma = 0 }: HardLossOptions,
): tf.Scalar {
  const classes = joined(levels, ({ assigned }) => assigned.classIndex);
  const targets = new Float32Array(classes.length * nc).fill(labelSmoothing / 2);
  classes.forEach((classIndex, i) => (targets[i * nc + classIndex] = 1 - labelSmoothing / 2));
  const entropy = binaryCrossEntropy(
    ops,
    tf.slice(rows, [0, 5], [-1, nc]),
    tf.tensor2d(targets, [classes.length, nc]),
    { positiveWeight: clsPw, focalGamma: flGamma },
  );
  return tf.sum(tf.mul(tf.sum(entropy, 1), meanWeights(levels, 1 / nc)));
}

/**
 * Makes the hard loss: terms `box`, `obj`, `cls`, each times its gain and per image, so that the total of a batch is
 * B (box + obj + cls). Only annotated images count (`target.labelled`): objectness is the mean over them and rows of
 * others are left out, so with L of B images annotated the total is L (box + obj + cls). Without an annotated image
 * every term is 0 and its gradient too. Nothing is read back from the device.
 *
 * Throws E_LOSS when the heads are not those that `context.head` describes, or a label names no image or class.
 */
export function createHardLoss(options: HardLossOptions = {}): Loss {
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      checkHeadTensors(student.heads, spec, 'student');
      if (!target.labelled.includes(true)) {
        return { box: tf.scalar(0), obj: zeroOf(student.heads), cls: tf.scalar(0) };
      }
      const labels = usableLabels(target, spec.nc);
      const { box, obj, cls } = assignedLoss(
        ops,
        student.heads,
        { labels, labelled: target.labelled },
        spec,
        options,
        (rows, levels) => classTerm(ops, rows, levels, spec, options),
      );
      return {
        box: tf.mul<tf.Scalar>(box, gains.box),
        obj: tf.mul<tf.Scalar>(obj, gains.obj),
        cls: tf.mul<tf.Scalar>(cls, gains.cls),
      };
    });
}
