import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { permutation } from '../../src/random/permutation.ts';
import { permutedIndex } from '../../src/random/permuted-index.ts';

const whole = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const ascending = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);

describe('permutation', () => {
  test('is a permutation, the same for the same key', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(), (n, seed) => {
        const order = permutation(drawKey(seed, 'order'), n);
        assert.deepEqual(ascending(order), whole(n));
        assert.deepEqual(order, permutation(drawKey(seed, 'order'), n));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('every order of four is equally frequent', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = permutation(drawKey(2, 'order', i), 4).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.equal(counts.size, 24);
    const chi = [...counts.values()].reduce((s, c) => s + (c - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom, standard deviation 6.8.
    assert.ok(chi < 55, String(chi));
  });
});

describe('permutedIndex', () => {
  test('is a bijection for every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (n, seed) => {
        const key = drawKey(seed, 'places');
        assert.deepEqual(ascending(whole(n).map((i) => permutedIndex(key, n, i))), whole(n));
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test('reaches huge sizes without memory', () => {
    const key = drawKey(1, 'places');
    const n = 2 ** 31;
    const places = whole(1000).map((i) => permutedIndex(key, n, i));
    assert.equal(new Set(places).size, 1000);
    const mean = places.reduce((a, b) => a + b, 0) / 1000 / n;
    assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / 1000));
  });

  test('refuses places outside', () => {
    for (const [n, i] of [
      [0, 0],
      [3, 3],
      [3, -1],
      [3, 0.5],
    ] as const) {
      assert.throws(
        () => permutedIndex(drawKey(1, 'x'), n, i),
        (e) => isSoftshardError(e, 'E_USAGE'),
      );
    }
  });
});
