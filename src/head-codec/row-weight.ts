/**
 * The weight with which the losses use a row, sigmoid(objectness), in half octaves, and the quantiser's steps that
 * follow from it: where a row counts half as much, its error may be twice as large ("reverse water-filling").
 */
import { UNIT } from './units.ts';

/** Objectness in units above which a row's weight is nearer to 2^(-j/2) than to 2^(-(j+1)/2), for j = 0, 1, ... */
const THRESHOLDS = [
  6819, 1569, -1315, -3523, -5421, -7148, -8772, -10330, -11845, -13331, -14796, -16248, -17690, -19126,
  -20557, -21984, -23409, -24833, -26255, -27677, -29098, -30518, -31939, -33359, -34779, -36198, -37618,
  -39038, -40457, -41877, -43297, -44716, -46136, -47555, -48975, -50395, -51814, -53234, -54653, -56073,
  -57492, -58912, -60332, -61751, -63171, -64590, -66010, -67429,
] as const;

/** Values of `weightIndex`: 0 to 48. */
export const WEIGHT_INDICES = THRESHOLDS.length + 1;

/** 2^(j/2) in 1/4096, by weight index. */
const STEP_FACTORS = [
  4096, 5793, 8192, 11585, 16384, 23170, 32768, 46341, 65536, 92682, 131072, 185364, 262144, 370728, 524288,
  741455, 1048576, 1482910, 2097152, 2965821, 4194304, 5931642, 8388608, 11863283, 16777216, 23726566,
  33554432, 47453133, 67108864, 94906266, 134217728, 189812531, 268435456, 379625062, 536870912, 759250125,
  1073741824, 1518500250, 2147483648, 3037000500, 4294967296, 6074001000, 8589934592, 12148002000,
  17179869184, 24296004000, 34359738368, 48592008000, 68719476736,
] as const;

/** j of a row whose objectness is `objectness` units: its weight is about 2^(-j/2). */
export function weightIndex(objectness: number): number {
  let j = 0;
  while (j < THRESHOLDS.length && objectness < (THRESHOLDS[j] ?? 0)) j++;
  return j;
}

/** Steps at weight 1 are stored in this part of a unit. */
const PART = 64;

/** No step is larger, units. */
const MOST = 2 ** 31;

/** Step in units at weight index j where it is `step` / 64 units at weight 1; at least 1. */
export const stepAt = (step: number, j: number): number =>
  Math.min(
    MOST,
    Math.max(1, Math.floor((step * (STEP_FACTORS[j] ?? 0) + (PART * UNIT) / 2) / (PART * UNIT))),
  );

/** Largest step that `stepFor` gives. */
const MOST_STEP = 0xffffff;

/** Objectness from `start` to below `end`, in units, where the weight index is `index`. */
export interface WeightBand {
  readonly start: number;
  readonly end: number;
  readonly index: number;
}

/**
 * Losses of boxes begin where the sigmoid exceeds 0.01, logit -4.595. A band ends there as well, so that decoding
 * moves no row over it.
 */
const BOX_THRESHOLD = -18822;

/** Lower end of the rows of weight index `j`, in units; those of the last index have none. */
export const lowerEnd = (j: number): number => THRESHOLDS[j] ?? -Infinity;

/** The bands of equal weight index between two objectness values in units, upwards; all above `from`. */
export function weightBands(from: number, to: number): WeightBand[] {
  const ends = [...THRESHOLDS, BOX_THRESHOLD].filter((threshold) => threshold > from);
  const starts = [from, ...ends.sort((a, b) => a - b)];
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? to, index: weightIndex(start) }));
}

/**
 * The step in 1/64 units at weight 1 with which the weighted error, sum w^2 d^2 with d in logits, is `tolerance`^2 sum w^2.
 * A row's error is that of uniform quantisation, or `leftOut` (squared logits) where that is less. `counts` says how
 * many rows have each weight index.
 */
export function stepFor(tolerance: number, counts: readonly number[], leftOut: number): number {
  let energy = 0;
  counts.forEach((count, j) => (energy += count / 2 ** j));
  const allowed = tolerance ** 2 * energy;
  let fine = 0;
  let coarse = leftOut * energy;
  let best = 0;
  for (const [j, count] of counts.entries()) {
    fine += count;
    coarse -= (leftOut * count) / 2 ** j;
    if (fine === 0 || allowed <= coarse) continue;
    // Rows to this index are quantised finely: as coarsely as they may be, but no worse than the last is left out.
    best = Math.max(best, Math.min((12 * (allowed - Math.max(0, coarse))) / fine, (12 * leftOut) / 2 ** j));
  }
  return Math.min(MOST_STEP, Math.max(1, Math.round(Math.sqrt(best) * UNIT * PART)));
}

/** How many places of an order have a step of at most `most`; steps grow along it. */
export function placesUpTo(weights: Uint8Array, step: number, most: number): number {
  let places = 0;
  while (places < weights.length && stepAt(step, weights[places] ?? 0) <= most) places++;
  return places;
}

/** Weight indices by place, from the codes of the rows and their levels. */
export const weightsOf = (order: Uint32Array, codes: Int32Array, levels: Int32Array): Uint8Array => {
  const byCode = Uint8Array.from(levels, (level) => weightIndex(level));
  return Uint8Array.from(order, (row) => byCode[codes[row] ?? 0] ?? 0);
};
