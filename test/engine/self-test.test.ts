import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { passed, runSelfTest } from '../../src/engine/run-self-test.ts';
import { openEngine } from '../../src/engine/select.ts';
import { gradientError, GRADIENT_TOLERANCE, probeSpeed } from '../../src/engine/self-test.ts';

const { ops } = (await openEngine('wasm')).engine;

test('right gradients pass by far, wrong ones do not', () => {
  const before = tf.memory().numTensors;
  assert.ok(gradientError(ops) < GRADIENT_TOLERANCE / 10);
  // An engine whose SiLU forgets the factor x of its gradient.
  const wrong = { ...ops, silu: <T extends tf.Tensor>(x: T): T => tf.mul<T>(x, tf.sigmoid(tf.zerosLike(x))) };
  assert.ok(gradientError(wrong) > GRADIENT_TOLERANCE);
  const nothing = { ...ops, silu: <T extends tf.Tensor>(x: T): T => tf.mul<T>(x, Number.NaN) };
  assert.equal(gradientError(nothing), Infinity);
  assert.equal(tf.memory().numTensors, before);
});

test('the speed counts runs until the budget is spent', () => {
  let now = 0;
  assert.ok(Math.abs(probeSpeed(ops, () => (now += 100), 500) - (5 * 0.0884736) / 0.6) < 0.01);
});

test('a child process loads the engine and says what it is worth', async () => {
  const outcome = await runSelfTest('wasm', process.env);
  assert.ok(passed(outcome));
  assert.ok(outcome.gradientError < GRADIENT_TOLERANCE && outcome.gflops > 0);
  assert.equal(outcome.device, 'cpu');
});

test('an engine that cannot be loaded is refused with its reason', async () => {
  const outcome = await runSelfTest('native', { ...process.env, SOFTSHARD_HOME: '/nonexistent' });
  assert.ok(!passed(outcome));
  assert.match(outcome.refused, /\S/);
});
