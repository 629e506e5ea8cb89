/** The evaluation vectors of the reference folder, as far as these tests read them. */
import { existsSync } from 'node:fs';
import type { Detection, TrueBox } from '../../src/metric/box.ts';
import { reference, referenceJson } from '../reference.ts';

interface NmsCase {
  readonly kw: {
    readonly conf_thres: number;
    readonly iou_thres: number;
    readonly multi_label?: boolean;
    readonly agnostic?: boolean;
    readonly max_det?: number;
    readonly classes?: readonly number[];
  };
  readonly out: readonly (readonly number[])[];
}

export interface EvalVectors {
  readonly nms_val: NmsCase;
  readonly nms_detect: NmsCase;
  readonly nms_agnostic: NmsCase;
  readonly nms_maxdet2: NmsCase;
  readonly nms_classes: NmsCase;
  readonly process_batch: {
    readonly det: readonly (readonly number[])[];
    readonly lab: readonly (readonly number[])[];
    readonly correct: readonly (readonly number[])[];
    readonly iou: readonly (readonly number[])[];
  };
  readonly confusion: readonly (readonly number[])[];
  readonly ap: {
    readonly target_cls: readonly number[];
    readonly tp_out: readonly number[];
    readonly fp_out: readonly number[];
    readonly p: readonly number[];
    readonly r: readonly number[];
    readonly f1: readonly number[];
    readonly ap: readonly (readonly number[])[];
    readonly classes: readonly number[];
  };
  readonly compute_ap: readonly { recall: number[]; precision: number[]; ap: number }[];
  readonly smooth: { readonly first5: readonly number[]; readonly last: number };
  readonly scale_boxes: {
    readonly boxes: readonly (readonly number[])[];
    readonly out: readonly (readonly number[])[];
    readonly with_ratio_pad: readonly (readonly number[])[];
  };
  readonly fitness: readonly number[];
}

export const skipWithoutVectors: string | false = existsSync(reference('spec', 'vectors', 'eval.json'))
  ? false
  : 'no evaluation vectors';

export const evalVectors = (): EvalVectors => referenceJson('spec', 'vectors', 'eval.json') as EvalVectors;

export const boxOf = ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[]) => ({ x1, y1, x2, y2 });

/** From a row (x1, y1, x2, y2, score, class). */
export const detectionOf = (row: readonly number[]): Detection => ({
  ...boxOf(row),
  score: row[4] ?? 0,
  classIndex: row[5] ?? 0,
});

/** From a row (class, x1, y1, x2, y2). */
export const truthOf = (row: readonly number[]): TrueBox => ({
  ...boxOf(row.slice(1)),
  classIndex: row[0] ?? 0,
});

/** To a row (x1, y1, x2, y2, score, class). */
export const rowOf = (d: Detection): number[] => [d.x1, d.y1, d.x2, d.y2, d.score, d.classIndex];

/** The largest absolute difference of two lists of rows; Infinity when their shapes differ. */
export function worstDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((worst, row, i) => {
    const other = b[i] ?? [];
    if (row.length !== other.length) return Infinity;
    return row.reduce((w, value, k) => Math.max(w, Math.abs(value - (other[k] ?? NaN))), worst);
  }, 0);
}
