import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { HeadSpec } from '../model/detector.ts';
import { assignLevels, joined, meanWeights, type AssignedLevel } from './assigned-levels.ts';
import { ciou } from './box-overlap.ts';
import { decodeBoxes } from './decode-boxes.ts';
import { headRows } from './head-rows.ts';
import { levelBalance } from './level-balance.ts';
import { objectnessTerm, type ObjectnessOptions } from './objectness-term.ts';

export interface AssignedLossOptions extends ObjectnessOptions {
  /** Largest ratio of a label's side to its anchor's (or the reverse), exclusive; 4 by default. */
  readonly anchorThreshold?: number;
  /** Weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
}

/** What boxes to learn: rows (image, class, cx, cy, w, h), normalised, [T,6], and the images that have any say. */
export interface AssignedBoxes {
  readonly labels: Float32Array;
  readonly labelled: readonly boolean[];
}

export interface AssignedTerms {
  readonly box: tf.Scalar;
  readonly obj: tf.Scalar;
  readonly cls: tf.Scalar;
}

/**
 * The three terms of boxes that are assigned to cells and anchors, without their gains: box = mean 1 - CIoU of a
 * level's assigned rows, obj = cross entropy with the overlap as target, cls = what `classTerm` makes of the assigned
 * rows [n, no] (in the order of `levels`); summed over the levels. Create it in a tidy.
 */
export function assignedLoss(
  ops: EngineOps,
  heads: readonly tf.Tensor5D[],
  { labels, labelled }: AssignedBoxes,
  spec: HeadSpec,
  options: AssignedLossOptions,
  classTerm: (rows: tf.Tensor2D, levels: readonly AssignedLevel[]) => tf.Scalar,
): AssignedTerms {
  const levels = assignLevels(heads.map(headRows), labels, spec, options.anchorThreshold ?? 4);
  const matched = levels.filter(({ assigned }) => assigned.count > 0);
  let box = tf.scalar(0);
  let cls = tf.scalar(0);
  let overlap: tf.Tensor1D | undefined;
  if (matched.length > 0) {
    // [matched rows of all levels, no]
    const rows = tf.concat(matched.map(({ head, cells }) => ops.gatherRows(head.rows, cells)));
    const anchors = joined(matched, ({ assigned }) => assigned.anchorSize);
    const boxes = joined(matched, ({ assigned }) => assigned.box);
    overlap = ciou(
      decodeBoxes(tf.slice(rows, [0, 0], [-1, 4]), tf.tensor2d(anchors, [anchors.length / 2, 2])),
      tf.tensor2d(boxes, [boxes.length / 4, 4]),
    );
    box = tf.sum(tf.mul(tf.sub(1, overlap), meanWeights(matched)));
    if (spec.nc > 1) cls = classTerm(rows, matched);
  }
  const balance = options.balance ?? levelBalance(levels.length);
  const obj = tf.addN(
    levels.map((level, i) =>
      tf.mul<tf.Scalar>(objectnessTerm(ops, level, overlap, labelled, options), balance[i] ?? 0),
    ),
  );
  return { box, obj, cls };
}
