/** The quantiser of objectness logits: fine where a row counts, coarse where it does not, one value below a floor. */
import { stepAt, weightBands, type WeightBand } from './row-weight.ts';
import type { SparseOptions } from './sparse-options.ts';
import { LARGEST_LOGIT, UNIT } from './units.ts';

export interface ObjectnessQuantiser {
  /** Step at weight 1, in 1/64 units. */
  readonly step: number;
  /** Largest step, in units. */
  readonly coarsest: number;
  /** What lies below it, in units, has code 0 and one value for all. */
  readonly floor: number;
}

/** Smallest step, in units: the odd number next to a part's middle lies within the part. */
const FINEST = 8;

/** How a band of equal weight is cut: codes `first` to `first + count` - 1 in parts of equal width. */
export interface CutBand extends WeightBand {
  readonly first: number;
  readonly count: number;
}

/**
 * The bands from the floor up, each cut into the fewest equal parts that are no wider than the step at its weight and
 * than `coarsest`. A value and its code's level lie in the same band: they have the same weight index.
 */
export function cutBands({ step, coarsest, floor }: ObjectnessQuantiser): CutBand[] {
  let first = 1;
  return weightBands(floor, LARGEST_LOGIT * UNIT).map((band) => {
    const widest = Math.max(FINEST, Math.min(coarsest, stepAt(step, band.index)));
    const count = Math.ceil((band.end - band.start) / widest);
    first += count;
    return { ...band, first: first - count, count };
  });
}

/** The code of a value in units; 0 below the floor. */
export function codeOf(bands: readonly CutBand[], value: number): number {
  for (let i = bands.length - 1; i >= 0; i--) {
    const band = bands[i];
    if (band === undefined || value < band.start) continue;
    const part = Math.floor(((value - band.start) * band.count) / (band.end - band.start));
    // Division may round up to the next part's end, and a level must come back to its own code.
    const code = band.first + Math.min(part, band.count - 1);
    return code;
  }
  return 0;
}

/** The value in units of a code from 1 on: the odd number at the middle of its part. Undefined for a code beyond any logit. */
export function levelOf(bands: readonly CutBand[], code: number): number | undefined {
  const band = bands.find(({ first, count }) => code >= first && code < first + count);
  if (band === undefined) return undefined;
  const { start, end, first, count } = band;
  const middle = start + Math.floor(((2 * (code - first) + 1) * (end - start)) / (2 * count));
  return middle % 2 === 0 ? middle + 1 : middle;
}

/** The bands for a step at weight 1, in 1/64 units, and a floor in units. */
export const bandsOf = ({ coarsest }: SparseOptions, step: number, floor: number): CutBand[] =>
  cutBands({ step, coarsest: Math.max(1, Math.round(coarsest * UNIT)), floor });

/** Levels in units by code, up to `top`; the first is that of code 0. Undefined where one is beyond any logit. */
export function levelsOf(bands: readonly CutBand[], below: number, top: number): Int32Array | undefined {
  if (top > 0 && levelOf(bands, top) === undefined) return undefined;
  return Int32Array.from({ length: top + 1 }, (_, code) =>
    code === 0 ? below : (levelOf(bands, code) ?? 0),
  );
}
