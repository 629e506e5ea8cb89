import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { purposeConstant } from '../../src/random/purpose.ts';
import {
  classWeights,
  IMAGE_WEIGHTS_PURPOSE,
  imageWeights,
  weightedDraws,
} from '../../src/train/image-weights.ts';
import { MULTI_SCALE_PURPOSE } from '../../src/train/multi-scale.ts';
import { ORDER_PURPOSES } from '../../src/train/sample-order.ts';

const box = (classIndex: number): { classIndex: number; cx: number; cy: number; w: number; h: number } => ({
  classIndex,
  cx: 0.5,
  cy: 0.5,
  w: 0.1,
  h: 0.1,
});
// Counts of the classes: 3, 1, 0.
const samples = [{ labels: [box(0), box(0)] }, { labels: [box(0), box(1)] }, { labels: [] }];

const near = (found: ArrayLike<number>, expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs((found[i] ?? NaN) - value) < 1e-12, `${i}: ${found[i]} ${value}`);
  });
};

describe('image weights', () => {
  test('classes weigh 1/count to the sum nc', () => {
    // 1/3, 1, 1 (as if one) over 7/3, times 3.
    near(classWeights(samples, 3), [3 / 7, 9 / 7, 9 / 7]);
  });

  test('images weigh class weight times (1 - mAP)^2 / nc times boxes', () => {
    near(imageWeights(samples, 3, []), [2 / 7, 1 / 7 + 3 / 7, 0]);
    near(imageWeights(samples, 3, [0.5, 0.9, 0]), [2 / 7 / 4, 1 / 7 / 4 + (3 / 7) * 0.01, 0]);
  });

  test('draws follow the weights, and the j-th draw of an image takes pass epoch + j', () => {
    const weights = imageWeights(samples, 3, []);
    const draws = weightedDraws(weights, { seed: 4, epoch: 7, count: 20_000 });
    const share = draws.filter(({ position }) => position === 1).length / draws.length;
    // Probability 2/3; four standard deviations.
    assert.ok(Math.abs(share - 2 / 3) < 4 * Math.sqrt(2 / 9 / 20_000), String(share));
    assert.ok(draws.every(({ position }) => position !== 2));
    for (const position of [0, 1]) {
      const passes = draws.filter((draw) => draw.position === position).map(({ pass }) => pass);
      assert.deepEqual(
        passes,
        passes.map((_, j) => 7 + j),
      );
    }
    assert.deepEqual(draws, weightedDraws(weights, { seed: 4, epoch: 7, count: 20_000 }));
    assert.notDeepEqual(draws, weightedDraws(weights, { seed: 4, epoch: 8, count: 20_000 }));
    assert.throws(() => weightedDraws(new Float64Array(3), { seed: 0, epoch: 0, count: 1 }), /none/);
  });

  test('the purposes of draws while training are apart', () => {
    const purposes = [...ORDER_PURPOSES, IMAGE_WEIGHTS_PURPOSE, MULTI_SCALE_PURPOSE];
    assert.equal(new Set(purposes.map(purposeConstant)).size, purposes.length);
  });
});
