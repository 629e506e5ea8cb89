import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import {
  chance,
  drawKey,
  drawWords,
  fraction53,
  integerBelow,
  uniform,
  unitUniform,
} from '../../src/random/keyed.ts';
import { purposeConstant } from '../../src/random/purpose.ts';

const draws = (count: number, draw: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => draw(i));

/** Pearson's statistic of counts against equal expectation. */
const chiSquare = (counts: readonly number[], total: number): number =>
  counts.reduce((sum, c) => sum + (c - total / counts.length) ** 2 / (total / counts.length), 0);

const histogram = (values: readonly number[], bins: number): number[] => {
  const counts = new Array<number>(bins).fill(0);
  for (const v of values) {
    const bin = Math.floor(v * bins);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
};

describe('keyed draws', () => {
  test('a purpose is FNV-1a of its name', () => {
    // Published test values of FNV-1a, 32 bits.
    assert.equal(purposeConstant(''), 0x811c9dc5);
    assert.equal(purposeConstant('a'), 0xe40c292c);
    assert.equal(purposeConstant('foobar'), 0xbf9cf968);
  });

  test('53 bits come from the high bits of two words', () => {
    assert.equal(fraction53(0, 0), 0);
    assert.equal(fraction53(0xffffffff, 0xffffffff), 1 - 2 ** -53);
    assert.equal(fraction53(0x80000000, 0), 0.5);
    assert.equal(fraction53(0, 32), 2 ** -53);
  });

  test('draws are pinned', () => {
    const key = drawKey(2 ** 40 + 7, 'test', 3, 2);
    assert.deepEqual(key, { seed: [7, 256], purpose: purposeConstant('test'), sample: 3, view: 2 });
    assert.deepEqual(drawWords(key, 5), [2168700416, 3172162735, 2898731520, 3753029225]);
    assert.equal(unitUniform(key, 5), unitUniform(drawKey(2 ** 40 + 7, 'test', 3, 2), 5));
  });

  test('are uniform in [0, 1)', () => {
    const key = drawKey(1, 'uniformity');
    const values = draws(100_000, (i) => unitUniform(key, i));
    assert.ok(values.every((v) => v >= 0 && v < 1));
    // 99 degrees of freedom: mean 99, standard deviation 14; 160 is beyond 4 of them.
    assert.ok(chiSquare(histogram(values, 100), values.length) < 160);
    const low = values.map((v) => (v * 2 ** 40) % 1);
    assert.ok(chiSquare(histogram(low, 100), low.length) < 160, 'the low bits are uniform too');
  });

  for (const [axis, at] of Object.entries({
    index: (i: number) => unitUniform(drawKey(9, 'p'), i),
    sample: (i: number) => unitUniform(drawKey(9, 'p', i), 0),
    view: (i: number) => unitUniform(drawKey(9, 'p', 0, i), 0),
    seed: (i: number) => unitUniform(drawKey(i, 'p'), 0),
    purpose: (i: number) => unitUniform(drawKey(9, `p${i}`), 0),
  })) {
    test(`neighbours along ${axis} are independent`, () => {
      const n = 20_000;
      const values = draws(n + 1, at);
      const pairs = new Array<number>(64).fill(0);
      let covariance = 0;
      for (let i = 0; i < n; i++) {
        const [a, b] = [values[i] ?? 0, values[i + 1] ?? 0];
        const cell = Math.floor(a * 8) * 8 + Math.floor(b * 8);
        pairs[cell] = (pairs[cell] ?? 0) + 1;
        covariance += (a - 0.5) * (b - 0.5);
      }
      // 63 degrees of freedom, standard deviation 11.2.
      assert.ok(chiSquare(pairs, n) < 115);
      // Correlation has a standard deviation of 1/sqrt(n).
      assert.ok(Math.abs((covariance / n) * 12) < 4 / Math.sqrt(n));
    });
  }

  test('any index is reached directly', () => {
    const key = drawKey(3, 'far');
    const far = unitUniform(key, 4_000_000_000);
    assert.ok(far >= 0 && far < 1);
    assert.equal(far, unitUniform(key, 4_000_000_000));
  });

  test('uniform covers its interval and keeps equal ends exact', () => {
    const key = drawKey(4, 'interval');
    assert.equal(uniform(key, 0, 0.5, 0.5), 0.5);
    const values = draws(10_000, (i) => uniform(key, i, -3, 5));
    assert.ok(Math.min(...values) < -2.99 && Math.max(...values) > 4.99);
  });

  test('integers below n are in range and equally frequent', () => {
    const key = drawKey(5, 'integers');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) {
      const k = integerBelow(key, i, 7);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    assert.equal(counts.length, 7);
    assert.ok(chiSquare(counts, 70_000) < 25);
    assert.equal(integerBelow(key, 0, 1), 0);
    for (const n of [3, 7, 1000003, 2 ** 31 + 1, 2 ** 32]) assert.ok(Math.floor(n * (1 - 2 ** -53)) < n);
  });

  test('chance 0 never happens, 1 always', () => {
    const key = drawKey(6, 'chance');
    assert.ok(draws(1000, (i) => (chance(key, i, 0) ? 1 : 0)).every((v) => v === 0));
    assert.ok(draws(1000, (i) => (chance(key, i, 1) ? 1 : 0)).every((v) => v === 1));
  });

  test('a bad seed is refused', () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
      assert.throws(
        () => drawKey(seed, 'x'),
        (e) => isSoftshardError(e, 'E_USAGE'),
      );
    }
  });
});
