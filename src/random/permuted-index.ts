/** Keyed permutations of any size, one place at a time and without memory. */
import { SoftshardError } from '../errors.ts';
import { drawWords, type DrawKey } from './keyed.ts';

const ROUNDS = 6;

/**
 * Where place `i` of 0…n-1 (n <= 2^31) goes under the key, in O(1) time and memory: a balanced Feistel network over
 * the smallest even number of bits that holds n, walked until it falls below n (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", 2002); fewer than 4 walks on average. Round r with half h uses word 0 of the draw at
 * index r * 2^16 + h. Pseudo-random rather than uniform over all n! orders, and another order than `permutation`
 * gives. Throws E_USAGE when i or n is out of range.
 */
export function permutedIndex(key: DrawKey, n: number, i: number): number {
  if (!Number.isInteger(n) || n < 1 || n > 0x80000000 || !Number.isInteger(i) || i < 0 || i >= n) {
    throw new SoftshardError('E_USAGE', {
      message: 'A permuted index is out of range.',
      expected: '0 <= i < n <= 2147483648, integers',
      found: `i = ${i}, n = ${n}`,
    });
  }
  const half = Math.max(1, Math.ceil((32 - Math.clz32(n - 1)) / 2));
  const mask = 2 ** half - 1;
  let place = i;
  do {
    let left = Math.floor(place / 2 ** half);
    let right = place % 2 ** half;
    for (let round = 0; round < ROUNDS; round++) {
      const [word] = drawWords(key, round * 0x10000 + right);
      [left, right] = [right, (left ^ (word & mask)) >>> 0];
    }
    place = left * 2 ** half + right;
  } while (place >= n);
  return place;
}
