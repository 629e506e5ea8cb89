/** Keyed permutations held whole. */
import { integerBelow, type DrawKey } from './keyed.ts';

/**
 * A uniform permutation of 0…n-1 (n <= 2^32) by Fisher and Yates: for i = n-1 … 1, swap places i and
 * integerBelow(key, i, i + 1). O(n) time and memory; for one place of a huge permutation see `permutedIndex`.
 */
export function permutation(key: DrawKey, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = integerBelow(key, i, i + 1);
    const held = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = held;
  }
  return order;
}
