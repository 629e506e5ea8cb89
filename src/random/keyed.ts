/**
 * Stateless draws: each is a pure function of (seed, purpose, sample, view, index), so there is no generator state
 * to save, any draw is reached in O(1), and the number of workers changes nothing.
 *
 * The block behind a draw is Philox4x32-10 with key (seed mod 2^32, floor(seed / 2^32)) and counter
 * (index, view, sample, constant of the purpose).
 */
import { SoftshardError } from '../errors.ts';
import { philox4x32, type Words4 } from './philox.ts';
import { purposeConstant } from './purpose.ts';

/** What a series of draws belongs to; the index counts within it. Made by `drawKey`. */
export interface DrawKey {
  readonly seed: readonly [number, number];
  readonly purpose: number;
  readonly sample: number;
  readonly view: number;
}

const wholeBelow = (name: string, value: number, limit: number): number => {
  if (Number.isInteger(value) && value >= 0 && value < limit) return value;
  throw new SoftshardError('E_USAGE', {
    message: `A draw's ${name} cannot be used.`,
    expected: `an integer from 0 to ${limit - 1}`,
    found: String(value),
  });
};

/**
 * The key of a series of draws. `seed` is an integer in 0…2^53-1; `sample` and `view` are 0…2^32-1 (0 by default,
 * for draws that belong to no sample). Throws E_USAGE on any other number.
 */
export function drawKey(seed: number, purpose: string, sample = 0, view = 0): DrawKey {
  const s = wholeBelow('seed', seed, Number.MAX_SAFE_INTEGER + 1);
  return {
    seed: [s % 0x100000000, Math.floor(s / 0x100000000)],
    purpose: purposeConstant(purpose),
    sample: wholeBelow('sample', sample, 0x100000000),
    view: wholeBelow('view', view, 0x100000000),
  };
}

/** The four words of draw `index` (0…2^32-1). */
export const drawWords = (key: DrawKey, index: number): Words4 =>
  philox4x32([index, key.view, key.sample, key.purpose], key.seed);

/** The 53-bit fraction of two words: (26 high bits of `high`) and (27 high bits of `low`), in [0, 1). */
export const fraction53 = (high: number, low: number): number =>
  ((high >>> 6) * 0x8000000 + (low >>> 5)) / 0x20000000000000;

/** A float64 in [0, 1), a multiple of 2^-53: words 0 and 1 of the block. */
export function unitUniform(key: DrawKey, index: number): number {
  const [high, low] = drawWords(key, index);
  return fraction53(high, low);
}

/** A float64 in [low, high]: low + (high - low) * u. Equal ends give that value exactly. */
export const uniform = (key: DrawKey, index: number, low: number, high: number): number =>
  low + (high - low) * unitUniform(key, index);

/**
 * An integer in 0…n-1, for 1 <= n <= 2^32: floor(n * u). The bias of any value is below n * 2^-53 (less than 5e-7
 * relative at the largest n), and the product never rounds up to n.
 */
export const integerBelow = (key: DrawKey, index: number, n: number): number =>
  Math.floor(n * unitUniform(key, index));

/** Whether an event of probability `p` happens: u < p, so 0 never does and 1 always does. */
export const chance = (key: DrawKey, index: number, p: number): boolean => unitUniform(key, index) < p;
