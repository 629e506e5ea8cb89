import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import { beta } from '../../src/random/beta.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { normal } from '../../src/random/normal.ts';

const moments = (values: readonly number[]): { mean: number; variance: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length };
};

/** Largest distance between the empirical distribution and the cumulative function (Kolmogorov and Smirnov). */
const distance = (values: readonly number[], cumulative: (x: number) => number): number =>
  values
    .toSorted((a, b) => a - b)
    .reduce((d, x, i, { length }) => {
      const f = cumulative(x);
      return Math.max(d, f - i / length, (i + 1) / length - f);
    }, 0);

/** Normal distribution function by integrating the density (trapezoids of 0.001). */
const normalCumulative = (() => {
  const table = new Float64Array(16_001);
  const density = (x: number): number => Math.exp(-x * x * 0.5) / Math.sqrt(2 * Math.PI);
  for (let i = 1; i < table.length; i++) {
    const x = -8 + i / 1000;
    table[i] = (table[i - 1] ?? 0) + (density(x) + density(x - 0.001)) / 2000;
  }
  return (x: number): number => table[Math.min(16_000, Math.max(0, Math.round((x + 8) * 1000)))] ?? 0;
})();

test('normal draws follow the normal distribution', () => {
  const key = drawKey(11, 'normal');
  const values = Array.from({ length: 20_000 }, (_, i) => normal(key, i));
  const { mean, variance } = moments(values);
  assert.ok(Math.abs(mean) < 4 / Math.sqrt(20_000));
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / 20_000));
  // The critical value at 1e-4 is 2.23 / sqrt(n); the table adds up to 4e-4.
  assert.ok(distance(values, normalCumulative) < 2.23 / Math.sqrt(20_000) + 4e-4);
  assert.throws(
    () => normal(key, 2 ** 24),
    (e) => isSoftshardError(e, 'E_USAGE'),
  );
});

test('Beta(32, 32) has mean 1/2 and variance 1/260', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => beta(drawKey(12, 'beta', i), 0, 32, 32));
  const { mean, variance } = moments(values);
  assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 260 / 10_000));
  assert.ok(Math.abs(variance * 260 - 1) < 4 * Math.sqrt(2 / 10_000));
});

test('Beta(1, 1) is uniform, Beta(2, 1) has density 2x', () => {
  const draw = (a: number, b: number): number[] =>
    Array.from({ length: 10_000 }, (_, i) => beta(drawKey(13, 'beta', i), 0, a, b));
  assert.ok(distance(draw(1, 1), (x) => x) < 0.0223);
  assert.ok(distance(draw(2, 1), (x) => x * x) < 0.0223);
  assert.ok(distance(draw(3, 2), (x) => 4 * x ** 3 - 3 * x ** 4) < 0.0223);
});

test('Beta refuses parameters that are not whole', () => {
  for (const [a, b] of [
    [0.5, 1],
    [0, 1],
    [4096, 4096],
  ] as const) {
    assert.throws(
      () => beta(drawKey(1, 'b'), 0, a, b),
      (e) => isSoftshardError(e, 'E_USAGE'),
    );
  }
});
