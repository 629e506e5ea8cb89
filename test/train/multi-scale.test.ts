import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import { resizeBatch, scaledSide } from '../../src/train/multi-scale.ts';
import { availableEngines } from '../engines.ts';

/** What PyTorch's interpolate (bilinear, align_corners false) makes of ((7 i) mod 11) / 10, i = 0...23, as 4 x 6. */
const INTERPOLATED: readonly (readonly [
  side: number,
  shape: readonly number[],
  values: readonly number[],
])[] = [
  [3, [1, 2, 3, 1], [0.525, 0.55, 0.3, 0.4, 0.7, 0.45]],
  [
    8,
    [1, 6, 8, 1],
    [
      0.0, 0.4375, 0.55, 0.3875, 0.9125, 0.75, 0.45, 0.2, 0.45, 0.54375, 0.45, 0.2875, 0.8125, 0.65, 0.35,
      0.1, 0.866667, 0.616667, 0.385417, 0.314583, 0.702083, 0.516667, 0.285417, 0.15, 0.733333, 0.483333,
      0.527083, 0.822917, 0.660417, 0.383333, 0.427083, 0.75, 0.6, 0.35, 0.4625, 0.85, 0.55, 0.25, 0.3625,
      0.8, 0.5, 0.25, 0.3625, 0.75, 0.45, 0.15, 0.2625, 0.7,
    ],
  ],
];

describe('multi-scale', () => {
  test('sides are multiples of the stride from 0.5 to 1.5 sizes, as the draw below 1.5 sizes + stride gives', () => {
    const options = { imageSize: 320, stride: 32, seed: 1 };
    const counts = new Map<number, number>();
    for (let i = 0; i < 10_000; i++) {
      const side = scaledSide(options, i);
      counts.set(side, (counts.get(side) ?? 0) + 1);
    }
    const sides = [...counts.keys()].sort((a, b) => a - b);
    assert.deepEqual(
      sides,
      Array.from({ length: 11 }, (_, i) => 160 + 32 * i),
    );
    // 352 equally likely integers, 32 for each side; five standard deviations.
    for (const [side, count] of counts) assert.ok(Math.abs(count - 10_000 / 11) < 144, `${side}: ${count}`);
    assert.equal(scaledSide(options, 7), scaledSide(options, 7));
    for (let i = 0; i < 100; i++) assert.ok(scaledSide({ imageSize: 32, stride: 32, seed: 0 }, i) >= 32);
  });

  for (const name of availableEngines()) {
    test(`resizes as PyTorch does on ${name}, to multiples of the stride`, async () => {
      await openEngine(name);
      const x = tf.tensor4d(
        Float32Array.from({ length: 24 }, (_, i) => ((7 * i) % 11) / 10),
        [1, 4, 6, 1],
      );
      for (const [side, shape, values] of INTERPOLATED) {
        const y = resizeBatch(x, side, 1);
        assert.deepEqual(y.shape, shape);
        y.dataSync().forEach((v, i) => {
          assert.ok(Math.abs(v - (values[i] ?? NaN)) < 2e-6, `${side}, ${i}: ${v} ${values[i]}`);
        });
        y.dispose();
      }
      assert.equal(resizeBatch(x, 6, 1), x);
      const wide = resizeBatch(x, 40, 32);
      assert.deepEqual(wide.shape, [1, 32, 64, 1]);
      tf.dispose([x, wide]);
    });
  }
});
