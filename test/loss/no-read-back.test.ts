import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { everyLoss } from './every-loss.ts';
import { ops } from './on-engine.ts';

test('no loss waits for the device, forward or backward', () => {
  const losses = everyLoss(ops).map((loss) => ({ ...loss, values: loss.inputs() }));
  const prototype = tf.Tensor.prototype;
  const methods = ['dataSync', 'data', 'arraySync', 'array'] as const;
  const originals = methods.map((name) => Object.getOwnPropertyDescriptor(prototype, name) ?? {});
  let running = '';
  for (const name of methods) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      value: () => assert.fail(`${name} was called by ${running}`),
    });
  }
  try {
    for (const { name, of, values } of losses) {
      running = name;
      tf.grads((...inputs: tf.Tensor[]) => tf.addN(Object.values(of(...inputs))))(values);
    }
  } finally {
    methods.forEach((name, i) => Object.defineProperty(prototype, name, originals[i] ?? {}));
  }
});
