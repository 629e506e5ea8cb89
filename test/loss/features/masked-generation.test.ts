import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {
  generationMask,
  maskedGeneration,
  type GeneratorParameters,
} from '../../../src/loss/features/masked-generation.ts';
import { gradientError } from '../finite-differences.ts';
import { ops, relativeError, valueOf } from '../on-engine.ts';
import { vectorStudent, vectorTeacher } from './vector-features.ts';

const wave = (shape: readonly number[], phase: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => 0.4 * Math.sin(1.7 * i + phase),
    ),
    [...shape],
  );
const generator: GeneratorParameters = {
  firstWeight: wave([3, 3, 3, 3], 0) as tf.Tensor4D,
  firstBias: wave([3], 1) as tf.Tensor1D,
  secondWeight: wave([3, 3, 3, 3], 2) as tf.Tensor4D,
  secondBias: wave([3], 3) as tf.Tensor1D,
};
const draw = { seed: 1, iteration: 5, pair: 0 };
const mask = (): tf.Tensor4D => generationMask([2, 4, 5], 0.65, draw);

describe('the mask', () => {
  test('hides its share, and is a function of the draw alone', () => {
    const large = generationMask([4, 40, 40], 0.65, draw).dataSync<'float32'>();
    assert.ok(large.every((x) => x === 0 || x === 1));
    const kept = large.reduce((a, b) => a + b, 0) / large.length;
    assert.ok(Math.abs(kept - 0.35) < 0.02, `${kept}`);
    assert.deepEqual(generationMask([4, 40, 40], 0.65, draw).dataSync(), large);
    for (const other of [{ iteration: 6 }, { seed: 2 }, { pair: 1 }]) {
      assert.notDeepEqual(generationMask([4, 40, 40], 0.65, { ...draw, ...other }).dataSync(), large);
    }
    assert.ok(
      generationMask([1, 3, 3], 0, draw)
        .dataSync()
        .every((x) => x === 1),
    );
  });
});

describe('mgd', () => {
  const loss = (s: tf.Tensor4D, parameters = generator, alpha = 0.01): tf.Scalar =>
    maskedGeneration(ops, s, vectorTeacher(), mask(), parameters, alpha);

  test('the definition, convolution by convolution', () => {
    const pad = (x: tf.Tensor4D): tf.Tensor4D =>
      tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]);
    const layer = (x: tf.Tensor4D, w: tf.Tensor4D, b: tf.Tensor1D): tf.Tensor4D =>
      tf.add(tf.conv2d(pad(x), w, 1, 'valid'), b);
    const inner = tf.relu(layer(tf.mul(vectorStudent(), mask()), generator.firstWeight, generator.firstBias));
    const generated = layer(inner, generator.secondWeight, generator.secondBias);
    const expected = (2e-5 / 2) * valueOf(tf.sum(tf.squaredDifference(generated, vectorTeacher())));
    assert.ok(relativeError(valueOf(loss(vectorStudent(), generator, 2e-5)), expected) < 1e-5);
  });

  test('the gradient in the student equals finite differences, and hidden pixels get none of their own', () => {
    const s = tf.add<tf.Tensor4D>(vectorStudent(), 0.0123);
    const error = gradientError((x) => loss(x as tf.Tensor4D), s.dataSync(), s.shape, 0.01);
    assert.ok(error < 5e-4, `${error}`);
    const gradient = tf.grad((x: tf.Tensor) => loss(x as tf.Tensor4D))(s);
    const hidden = tf.mul(gradient, tf.sub(1, mask()));
    assert.ok(hidden.dataSync().every((g) => g === 0));
  });

  for (const name of Object.keys(generator) as (keyof GeneratorParameters)[]) {
    test(`the gradient in ${name} equals finite differences`, () => {
      const value = generator[name];
      const error = gradientError(
        (x) => loss(vectorStudent(), { ...generator, [name]: x }),
        value.dataSync(),
        value.shape,
        // Small: a larger step carries many a hidden unit over the corner of its ReLU.
        0.001,
      );
      assert.ok(error < 2e-3, `${error}`);
    });
  }
});
