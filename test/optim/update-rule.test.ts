import { before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import { clipGradient } from '../../src/optim/clip-gradient.ts';
import { l2Norm } from '../../src/optim/l2-norm.ts';
import { adam, adamw, sgd, type UpdateRule } from '../../src/optim/update-rule.ts';

const settings = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };

/** Two updates with the gradients 0.5 and -0.25 from the weight 2. */
function twice(rule: UpdateRule): number[] {
  let weights = tf.tensor1d([2]);
  let slots = rule.slots.map(() => tf.zeros<tf.Rank.R1>([1]));
  const trail: number[] = [];
  [0.5, -0.25].forEach((gradient, i) => {
    const next = rule.update(weights, tf.tensor1d([gradient]), slots, settings, i + 1);
    weights = next.weights;
    slots = [...next.slots];
    trail.push(weights.dataSync()[0] ?? Number.NaN);
  });
  return trail;
}

const close = (actual: number[], expected: number[]): void =>
  expected.forEach((value, i) =>
    assert.ok(Math.abs((actual[i] ?? NaN) - value) < 1e-6, `${actual.join()} / ${expected.join()}`),
  );

describe('update rules', () => {
  before(() => openEngine('wasm').then(() => undefined));

  test('sgd is PyTorch’s Nesterov form with coupled decay', () => {
    // g = 0.5 + 0.02 = 0.52; buf = 0.52; w = 2 - 0.1 (0.52 + 0.468) = 1.9012
    const first = 2 - 0.1 * (0.52 + 0.9 * 0.52);
    const g = -0.25 + 0.01 * first;
    const buffer = 0.9 * 0.52 + g;
    close(twice(sgd), [first, first - 0.1 * (g + 0.9 * buffer)]);
  });

  test('adam couples the decay, adamw does not', () => {
    const simulate = (decoupled: boolean): number[] => {
      let [w, m, v] = [2, 0, 0];
      return [0.5, -0.25].map((gradient, i) => {
        const g = decoupled ? gradient : gradient + 0.01 * w;
        if (decoupled) w *= 1 - 0.1 * 0.01;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        w -= (0.1 / (1 - 0.9 ** (i + 1))) * (m / (Math.sqrt(v) / Math.sqrt(1 - 0.999 ** (i + 1)) + 1e-8));
        return w;
      });
    };
    close(twice(adam), simulate(false));
    close(twice(adamw), simulate(true));
  });

  test('the norm of a long vector keeps its digits, and clipping scales to the limit', () => {
    const n = 1_500_000;
    const long = tf.fill<tf.Rank.R1>([n], 0.1);
    const norm = l2Norm(long).dataSync()[0] ?? NaN;
    assert.ok(Math.abs(norm / (0.1 * Math.sqrt(n)) - 1) < 1e-5, String(norm));
    const clipped = tf.tidy(() => clipGradient(tf.tensor1d([3, 4]), 1).gradient);
    close([...clipped.dataSync()], [0.6, 0.8]);
    const small = tf.tidy(() => clipGradient(tf.tensor1d([0.3, 0.4]), 1).gradient);
    close([...small.dataSync()], [0.3, 0.4]);
  });
});
