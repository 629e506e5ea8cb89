import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import type { UpdateVectors } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import { applyRule } from '../../src/optim/apply-rule.ts';
import { UPDATE_RULES } from '../../src/optim/update-rule.ts';
import { drawKey, uniform } from '../../src/random/keyed.ts';
import { availableEngines } from '../engines.ts';

/** More than a kernel takes at once, none at all, and a few. */
const SIZES = [70_001, 0, 5, 33];
const SIZE = SIZES.reduce((a, b) => a + b, 0);
const GROUPS = SIZES.map((size, i) => ({
  size,
  learningRate: 0.01 / (i + 1),
  weightDecay: i === 0 ? 0.0005 : 0,
}));

const values = (name: string): tf.Tensor1D =>
  tf.tensor1d(Float32Array.from({ length: SIZE }, (_, i) => uniform(drawKey(1, name), i, -1, 1)));

for (const engineName of availableEngines()) {
  describe(`a step over flat vectors on ${engineName}`, () => {
    for (const rule of Object.values(UPDATE_RULES)) {
      test(`${rule.name}: the engine's kernel gives the bits of the rule, and averages`, async () => {
        const { engine } = await openEngine(engineName);
        const run = (ops: { readonly updateVectors?: typeof engine.ops.updateVectors }): Float32Array[] =>
          tf.tidy(() => {
            let vectors: Omit<UpdateVectors, 'gradient'> = {
              weights: values('weights'),
              slots: rule.slots.map(() => tf.zeros<tf.Rank.R1>([SIZE])),
              average: values('average'),
            };
            for (let step = 1; step <= 3; step++) {
              const common = { groups: GROUPS, momentum: 0.9, step, averageDecay: 0.3 };
              vectors = applyRule(rule, { ...vectors, gradient: values(`gradient ${step}`) }, common, ops);
            }
            return [vectors.weights, ...vectors.slots, vectors.average].map((v) => v.dataSync<'float32'>());
          });
        const before = tf.memory().numTensors;
        const plain = run({});
        const own = run(engine.ops);
        assert.equal(tf.memory().numTensors, before, 'tensors are left');
        assert.equal(own.length, rule.slots.length + 2);
        own.forEach((vector, i) => {
          const expected = plain[i] ?? new Float32Array();
          const at = vector.findIndex((value, k) => !Object.is(value, expected[k]));
          assert.equal(at, -1, `vector ${i}, element ${at}: ${vector[at]} and ${expected[at]}`);
        });
      });
    }
  });
}
