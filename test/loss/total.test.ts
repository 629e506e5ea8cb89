import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { distillationOptions } from '../../src/loss/distillation-options.ts';
import { createOutputLoss } from '../../src/loss/output.ts';
import { lossWeights, totalLoss } from '../../src/loss/total.ts';
import { referenceFloats, referenceJson, skipWithoutReference } from '../reference.ts';
import { contextOf, forwardOf, gridHead, relativeError, targetOf, valueOf } from './on-engine.ts';

const values = (terms: Readonly<Record<string, tf.Scalar>>): Record<string, number> =>
  Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, valueOf(term)]));

describe('the total', () => {
  const parts = () => ({
    hard: { box: tf.scalar(1), obj: tf.scalar(2) },
    output: { box: tf.scalar(3) },
    hints: { '17-17': tf.scalar(4) },
    weights: { hard: 1, output: 0.5, hints: { '17-17': 0.25 } },
    batch: 8,
    labelledCount: 2,
  });

  test('counts labelled images for the hard loss and all for the rest', () => {
    const { total, logged } = totalLoss(parts());
    assert.equal(valueOf(total), 2 * (1 + 2) + 8 * (0.5 * 3 + 0.25 * 4));
    assert.deepEqual(values(logged), {
      'hard/box': 1,
      'hard/obj': 2,
      'output/box': 3,
      'hint/17-17': 4,
      'weighted/hard/box': 2,
      'weighted/hard/obj': 4,
      'weighted/output/box': 12,
      'weighted/hint/17-17': 8,
    });
  });

  test('a weight of 0 is logged and sends no gradient', () => {
    const gradient = tf.grads(
      (a: tf.Tensor, b: tf.Tensor) =>
        totalLoss({
          batch: 8,
          labelledCount: 2,
          hard: { box: a as tf.Scalar },
          output: { box: b as tf.Scalar },
          weights: { hard: 1, output: 0.5, hints: {} },
        }).total,
    )([tf.scalar(1), tf.scalar(1)]);
    assert.deepEqual(gradient.map(valueOf), [2, 4]);
    const { total, logged } = totalLoss({
      ...parts(),
      weights: { hard: 1, output: 0, hints: { '17-17': 0 } },
    });
    assert.equal(valueOf(total), 6);
    assert.equal(valueOf(logged['output/box']), 3);
    assert.equal(valueOf(logged['weighted/output/box']), 0);
  });

  test('no term, or a hint without a weight, is E_LOSS', () => {
    const isLossError = (error: unknown): boolean => isSoftshardError(error, 'E_LOSS');
    const { weights, batch, labelledCount } = parts();
    assert.throws(() => totalLoss({ weights, batch, labelledCount }), isLossError);
    assert.throws(() => totalLoss({ ...parts(), weights: { ...weights, hints: {} } }), isLossError);
  });
});

test('the weights in force follow their schedules', () => {
  const options = distillationOptions({
    output: { weight: 2, schedule: { kind: 'linear', to: 0, offLastEpochs: 1 } },
    hints: [{ student: 4, teacher: 6, weight: 0.5, schedule: { offLastEpochs: 2 } }],
  });
  assert.deepEqual(lossWeights(options, 0, 4), { hard: 1, output: 2, hints: { '4-6': 0.5 } });
  assert.deepEqual(lossWeights(options, 1, 4), { hard: 1, output: 1, hints: { '4-6': 0.5 } });
  assert.deepEqual(lossWeights(options, 2, 4), { hard: 1, output: 0, hints: { '4-6': 0 } });
  assert.deepEqual(lossWeights(options, 3, 4), { hard: 1, output: 0, hints: { '4-6': 0 } });
  assert.equal(lossWeights(distillationOptions({ output: { kind: 'none' } }), 0, 1).output, 0);
});

test('the output term alone at weight 10/B is the reference total', { skip: skipWithoutReference }, () => {
  const heads = (who: string): tf.Tensor5D[] =>
    ['p3', 'p4', 'p5'].map((level) => {
      const { data, shape } = referenceFloats(`D_${who}_${level}.npy`);
      return gridHead(data, shape);
    });
  const expected = (referenceJson('ref', 'D_distill.json') as { seed_output: { value: number } }).seed_output
    .value;
  const output = createOutputLoss({ kind: 'l2', temperature: 1 })?.(
    forwardOf(heads('student')),
    targetOf(new Float32Array(0), [false, false], heads('teacher')),
    contextOf(80, { box: 0.05, obj: 1, cls: 0.5 }),
  );
  assert.ok(output);
  const weights = { hard: 1, output: 10 / 2, hints: {} };
  assert.ok(
    relativeError(valueOf(totalLoss({ output, weights, batch: 2, labelledCount: 0 }).total), expected) < 1e-5,
  );
});

test('each kind of output has its loss', () => {
  assert.notEqual(createOutputLoss({ kind: 'soft', temperature: 2 }), undefined);
  assert.equal(createOutputLoss({ kind: 'none', temperature: 1 }), undefined);
});
