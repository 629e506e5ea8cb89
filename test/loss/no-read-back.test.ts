import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { createHintLoss } from '../../src/loss/hint.ts';
import { createHardLoss } from '../../src/loss/hard-loss.ts';
import { createL2OutputLoss } from '../../src/loss/output-l2.ts';
import { createSoftOutputLoss } from '../../src/loss/output-soft.ts';
import { totalLoss } from '../../src/loss/total.ts';
import { vectorHeads, vectorLabels } from './vectors.ts';
import { contextOf } from './on-engine.ts';

test('no loss waits for the device, forward or backward', () => {
  const teacher = vectorHeads((v) => 0.7 * v + 0.3 * Math.cos(5 * v));
  const feature = tf.ones<tf.Rank.R4>([2, 4, 4, 3]);
  const target = {
    labels: vectorLabels(),
    labelled: [true, true],
    teacher: {
      heads: teacher,
      teacherObjectness: teacher.map(
        (head) => tf.slice(tf.reshape(head, [-1, 8]), [0, 4], [-1, 1]).dataSync() as Float32Array,
      ),
      features: new Map([[17, feature]]),
    },
  };
  const context = contextOf(3, { box: 0.05, obj: 1, cls: 0.5 });
  const hints = createHintLoss(
    (['mse', 'l1', 'cosine', 'at', 'pkd', 'cwd'] as const).map((kind, i) => ({
      student: i,
      teacher: 17,
      kind,
    })),
  );
  const [hard, soft, l2] = [createHardLoss(), createSoftOutputLoss(), createL2OutputLoss()];

  const prototype = tf.Tensor.prototype;
  const methods = ['dataSync', 'data', 'arraySync', 'array'] as const;
  const originals = methods.map((name) => Object.getOwnPropertyDescriptor(prototype, name) ?? {});
  for (const name of methods) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      value: () => assert.fail(`${name} was called`),
    });
  }
  try {
    tf.grads((...inputs: tf.Tensor[]) => {
      const [map, ...heads] = inputs as [tf.Tensor4D, ...tf.Tensor5D[]];
      const student = { heads, features: new Map([0, 1, 2, 3, 4, 5].map((layer) => [layer, map])) };
      const parts = {
        hard: hard(student, target, context),
        hints: hints(student, target, context),
        weights: {
          hard: 1,
          output: 1,
          hints: { '0-17': 1, '1-17': 1, '2-17': 1, '3-17': 1, '4-17': 1, '5-17': 1 },
        },
        batch: 2,
        labelledCount: 2,
      };
      const [a, b] = [soft, l2].map(
        (loss) => totalLoss({ ...parts, output: loss(student, target, context) }).total,
      );
      return tf.add(a as tf.Scalar, b as tf.Scalar);
    })([tf.fill([2, 4, 4, 3], 0.5), ...vectorHeads()]);
  } finally {
    methods.forEach((name, i) => Object.defineProperty(prototype, name, originals[i] ?? {}));
  }
});
