import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, openEngine } from '../../src/engine/select.ts';

const installed = describeEngines().some(({ name, available }) => name === 'native' && available);
const engine = installed ? (await openEngine('native')).engine : undefined;
const skip = engine?.info.nativeOps === undefined ? 'no native ops' : false;
const { ops } = engine ?? (await openEngine('cpu')).engine;

test('a batch of no images has no outputs, and gradients of zeros', { skip }, () => {
  for (const [k, stride] of [
    [1, 1],
    [3, 2],
  ] as const)
    tf.tidy(() => {
      const x = tf.zeros<tf.Rank.R4>([0, 8, 8, 3]);
      const w = tf.ones<tf.Rank.R4>([k, k, 3, 5]);
      const options = { stride, padding: k >> 1 };
      const y = ops.conv2d(x, w, options);
      assert.deepEqual(y.shape, [0, 8 / stride, 8 / stride, 5]);
      const gradient = tf.grad((filter) => tf.sum(ops.conv2d(x, filter as tf.Tensor4D, options)))(w);
      assert.deepEqual([...gradient.dataSync()], new Array<number>(w.size).fill(0));
    });
});

test('a filter that is larger than the padded image is refused', { skip }, () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 2, 2, 3]);
    assert.throws(() => ops.conv2d(x, tf.ones<tf.Rank.R4>([3, 3, 3, 5]), { stride: 1, padding: 0 }));
    assert.throws(() => ops.conv2d(x, tf.ones<tf.Rank.R4>([1, 1, 4, 5]), { stride: 1, padding: 0 }));
  });
});
