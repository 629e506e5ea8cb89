/** Labels assigned to the rows of the heads, level by level. */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadSpec } from '../model/detector.ts';
import { assignTargets, type AssignedRows } from './assign-targets.ts';
import type { HeadRows } from './head-rows.ts';

/** One level: its rows and what was assigned to it. */
export interface AssignedLevel {
  readonly head: HeadRows;
  readonly assigned: AssignedRows;
  /** Row of the head for each assigned row. */
  readonly cells: Int32Array;
  /** Position of the level's first row among the assigned rows of all levels. */
  readonly start: number;
}

/** Assigns `labels` (see `assignTargets`) to the rows of every level. */
export function assignLevels(
  heads: readonly HeadRows[],
  labels: Float32Array,
  spec: HeadSpec,
  threshold: number,
): AssignedLevel[] {
  let start = 0;
  return assignTargets(labels, spec, heads, threshold).map((assigned, index) => {
    const head = heads[index] as HeadRows;
    const cells = assigned.image.map(
      (image, i) =>
        ((image * head.ny + (assigned.gridY[i] ?? 0)) * head.nx + (assigned.gridX[i] ?? 0)) * head.na +
        (assigned.anchor[i] ?? 0),
    );
    const level = { head, assigned, cells, start };
    start += assigned.count;
    return level;
  });
}

/** Concatenates a per-row array of all levels. */
export const joined = (
  levels: readonly AssignedLevel[],
  of: (level: AssignedLevel) => ArrayLike<number>,
): Float32Array => Float32Array.from(levels.flatMap((level) => Array.from(of(level))));

/** 1 / rows of its level, times `scale`: sums weighted so are sums of the levels' means. */
export const meanWeights = (levels: readonly AssignedLevel[], scale = 1): tf.Tensor1D =>
  tf.tensor1d(joined(levels, ({ assigned: { count } }) => new Float32Array(count).fill(scale / count)));
