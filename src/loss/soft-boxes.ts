/** What a student learns of a teacher's boxes, where the teacher sees something. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { HeadSpec } from '../model/detector.ts';
import { bernoulliDivergence } from './bernoulli-divergence.ts';
import { ciou } from './box-overlap.ts';
import { decodeBoxes } from './decode-boxes.ts';
import type { HeadRows } from './head-rows.ts';

/** Rows where the teacher sees something, and their weights; both on the host. */
export interface Selection {
  readonly rows: Int32Array;
  /** Teacher's objectness divided by its sum over the selected rows of the level. */
  readonly weights: Float32Array;
}

/** Selects from objectness logits the rows whose sigmoid exceeds `threshold`. */
export function selectRows(logits: ArrayLike<number>, threshold: number): Selection {
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

/** Both models' box logits [m,4] in the selected rows of all levels, the rows' anchors [m,2] and weights [m]. */
export interface SelectedBoxes {
  readonly student: tf.Tensor2D;
  readonly teacher: tf.Tensor2D;
  readonly anchors: tf.Tensor2D;
  readonly weights: tf.Tensor1D;
}

/** Gathers the selected boxes; undefined where no level has any. Differentiable in the student's rows. */
export function selectedBoxes(
  ops: EngineOps,
  student: readonly HeadRows[],
  teacher: readonly HeadRows[],
  selections: readonly Selection[],
  spec: HeadSpec,
): SelectedBoxes | undefined {
  const levels = selections.map((_, level) => level).filter((level) => selections[level]?.rows.length !== 0);
  if (levels.length === 0) return undefined;
  const logits = (heads: readonly HeadRows[]): tf.Tensor2D => {
    const parts = levels.map((l) =>
      ops.gatherRows((heads[l] as HeadRows).rows, (selections[l] as Selection).rows),
    );
    return tf.slice(tf.concat(parts), [0, 0], [-1, 4]);
  };
  const sides = levels.flatMap((l) => anchorsOf((selections[l] as Selection).rows, l, spec));
  return {
    student: logits(student),
    teacher: logits(teacher),
    anchors: tf.tensor2d(sides, [sides.length / 2, 2]),
    weights: tf.tensor1d(levels.flatMap((l) => Array.from((selections[l] as Selection).weights))),
  };
}

/** Sum over the levels of the weighted mean of 1 - CIoU(decoded student, decoded teacher). */
export function overlapOfBoxes({ student, teacher, anchors, weights }: SelectedBoxes): tf.Scalar {
  const overlap = ciou(decodeBoxes(student, anchors), decodeBoxes(teacher, anchors));
  return tf.sum(tf.mul(tf.sub(1, overlap), weights));
}

/**
 * Localisation distillation (Zheng et al. 2022), adapted to heads without a distribution over box sides: YOLOv5's four
 * box logits are bounded by a sigmoid, so that each is a distribution over the two ends of its range. Sum over the
 * levels of the weighted mean of T^2 KL(sigmoid(t/T) || sigmoid(s/T)), mean over the four.
 */
export function divergenceOfBoxes(boxes: SelectedBoxes, temperature: number): tf.Scalar {
  const { weights } = boxes;
  const divergence = bernoulliDivergence<tf.Tensor2D>(
    tf.mul(boxes.student, 1 / temperature),
    tf.mul(boxes.teacher, 1 / temperature),
  );
  return tf.mul(tf.sum(tf.mul(tf.sum(divergence, 1), weights)), temperature ** 2 / 4);
}
