/** How deep the map of objectness goes: to where what lies below matters no more, which differs from head to head. */
import { OBJECTNESS_COLUMN, type HeadShape } from './head-shape.ts';
import { lowerEnd, weightIndex, WEIGHT_INDICES } from './row-weight.ts';
import { UNIT } from './units.ts';

export interface Floor {
  /** Lowest objectness that the map tells apart, in units: the lower end of a weight index. */
  readonly floor: number;
  /** How many rows above the floor have each weight index. */
  readonly counts: readonly number[];
}

/** The largest weight index that has a lower end. */
const DEEPEST = WEIGHT_INDICES - 2;

/** The objectness logits: how many rows have each weight index, and the lowest values. */
interface Tally {
  readonly counts: readonly number[];
  readonly least: number;
  readonly leastCount: number;
  /** The lowest value but one. */
  readonly next: number;
}

function tally(data: Float32Array, { rows, no }: HeadShape): Tally {
  const counts = new Array<number>(WEIGHT_INDICES).fill(0);
  let least = Infinity;
  let leastCount = 0;
  let next = Infinity;
  for (let row = 0; row < rows; row++) {
    const logit = data[row * no + OBJECTNESS_COLUMN] ?? 0;
    const j = weightIndex(logit * UNIT);
    counts[j] = (counts[j] ?? 0) + 1;
    if (logit < least) {
      next = least;
      least = logit;
      leastCount = 0;
    }
    if (logit === least) leastCount += 1;
    else if (logit < next) next = logit;
  }
  return { counts, least, leastCount, next };
}

/** The smallest weight index below which the rows hold at most `share`^2 of the squared weights. */
function indexByShare(counts: readonly number[], share: number): number {
  const energy = (j: number): number => (counts[j] ?? 0) / 2 ** j;
  const allowed = share ** 2 * counts.reduce((sum, _, j) => sum + energy(j), 0);
  let below = energy(DEEPEST + 1);
  let rows = counts[DEEPEST + 1] ?? 0;
  let index = DEEPEST;
  while (index > 0 && below + energy(index) <= allowed) {
    below += energy(index);
    rows += counts[index] ?? 0;
    index -= 1;
  }
  // One row alone needs no value for all rows below.
  const lowest = counts.findLastIndex((count) => count > 0);
  return rows === 1 && lowest <= DEEPEST ? lowest : index;
}

function floorAt(counts: readonly number[], from: number): Floor {
  const occupied = counts.slice(0, from + 1).findLastIndex((count) => count > 0);
  const index = occupied < 0 ? DEEPEST : occupied;
  return { floor: lowerEnd(index), counts: counts.slice(0, index + 1) };
}

/**
 * The floor below which the rows hold at most `share`^2 of the squared weights, raised to the lowest row above it.
 *
 * What was decoded gets the same floor again: it leaves several rows equal below the floor, an even number of units,
 * while all above are odd; then the floor is that of the lowest row above.
 */
export function chooseFloor(data: Float32Array, shape: HeadShape, share: number): Floor {
  const { counts, least, leastCount, next } = tally(data, shape);
  if (leastCount > 1 && next < Infinity && Number.isInteger((least * UNIT) / 2)) {
    const index = weightIndex(next * UNIT);
    if (index <= DEEPEST && weightIndex(least * UNIT) > index) return floorAt(counts, index);
  }
  return floorAt(counts, indexByShare(counts, share));
}
