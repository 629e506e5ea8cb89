import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { absoluteError } from '../../../src/loss/features/absolute-error.ts';
import { attentionTransfer } from '../../../src/loss/features/attention-transfer.ts';
import { channelWise } from '../../../src/loss/features/channel-wise.ts';
import { cosineDistance } from '../../../src/loss/features/cosine-distance.ts';
import { pearsonDistance } from '../../../src/loss/features/pearson.ts';
import { squaredError } from '../../../src/loss/features/squared-error.ts';
import { referenceFloats, referenceJson, skipWithoutReference } from '../../reference.ts';
import { gradientError } from '../finite-differences.ts';
import { distillationVectors as vectors } from '../vectors.ts';
import { vectorStudent as student, vectorTeacher as teacher } from './vector-features.ts';
import { absoluteSum, largestDifference, relativeError, valueOf } from '../on-engine.ts';

type Distance = (s: tf.Tensor4D, t: tf.Tensor4D) => tf.Scalar;

/** Weights of 40 pixels that sum up to 1. */
const pixelWeights = (): tf.Tensor4D =>
  tf.tensor4d(
    Array.from({ length: 40 }, (_, i) => (i + 1) / 820),
    [2, 4, 5, 1],
  );

const DISTANCES: readonly [name: string, distance: Distance, expected: number | undefined][] = [
  ['mse', squaredError, vectors.feat_mse_mean],
  ['l1', absoluteError, undefined],
  ['cosine', cosineDistance, undefined],
  ['at', attentionTransfer, vectors.attention_transfer_mean],
  ['pkd', pearsonDistance, vectors.pkd.loss],
  ['mse with weights', (s, t) => squaredError(s, t, pixelWeights()), undefined],
  ['l1 with weights', (s, t) => absoluteError(s, t, pixelWeights()), undefined],
  ['cosine with weights', (s, t) => cosineDistance(s, t, pixelWeights()), undefined],
  ['cwd', channelWise, vectors.cwd_tau1],
  ['cwd at temperature 4', (s, t) => channelWise(s, t, 4), vectors.cwd_tau4],
];

for (const [name, distance, expected] of DISTANCES) {
  describe(name, () => {
    if (expected !== undefined) {
      test('the value is that of the vectors', () => {
        const error = relativeError(valueOf(distance(student(), teacher())), expected);
        assert.ok(error < 1e-5, `${error}`);
      });
    }

    test('the gradient equals finite differences', () => {
      const t = teacher();
      // Shifted a little: no element of the student equals the teacher's, where |x| has no derivative.
      const s = tf.add<tf.Tensor4D>(student(), 0.0123);
      const error = gradientError((x) => distance(x as tf.Tensor4D, t), s.dataSync(), s.shape, 0.01);
      assert.ok(error < 2e-4, `${error}`);
    });

    test('equal maps are at distance 0, with a gradient of 0', () => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => distance(x as tf.Tensor4D, teacher()))(
        teacher(),
      );
      assert.ok(Math.abs(valueOf(value)) < 1e-6);
      assert.ok(absoluteSum(grad.dataSync()) < 1e-6);
    });

    test('maps of zeros stay finite', () => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => distance(x as tf.Tensor4D, teacher()))(
        tf.zeros([2, 4, 5, 3]),
      );
      assert.ok([...value.dataSync(), ...grad.dataSync()].every(Number.isFinite));
    });

    test('nothing stays allocated', () => {
      const [s, t] = [student(), teacher()];
      const before = tf.memory().numTensors;
      tf.dispose(tf.grad((x: tf.Tensor) => distance(x as tf.Tensor4D, t))(s));
      tf.dispose(tf.tidy(() => distance(s, t)));
      assert.equal(tf.memory().numTensors, before);
    });
  });
}

test('the definitions of l1 and cosine', () => {
  const [s, t] = [student().dataSync<'float32'>(), teacher().dataSync<'float32'>()];
  const l1 = s.reduce((sum, x, i) => sum + Math.abs(x - (t[i] ?? NaN)), 0) / s.length;
  assert.ok(relativeError(valueOf(absoluteError(student(), teacher())), l1) < 1e-5);
  let cosine = 0;
  for (let i = 0; i < s.length; i += 3) {
    const [a, b] = [s.subarray(i, i + 3), t.subarray(i, i + 3)];
    cosine += 1 - a.reduce((sum, x, k) => sum + x * (b[k] ?? NaN), 0) / (Math.hypot(...a) * Math.hypot(...b));
  }
  assert.ok(relativeError(valueOf(cosineDistance(student(), teacher())), cosine / 40) < 1e-5);
});

test('the gradient of pkd is that of the vectors', () => {
  const gradient = tf.grad((x: tf.Tensor) => pearsonDistance(x as tf.Tensor4D, teacher()))(student());
  // The first row of the first channel.
  const first = tf.slice(gradient, [0, 0, 0, 0], [1, 1, 5, 1]).dataSync();
  assert.ok(largestDifference(first, vectors.pkd.grad0) < 1e-7);
});

test('mse of the seeded features, three levels', { skip: skipWithoutReference }, () => {
  const expected = (referenceJson('ref', 'D_distill.json') as { 'seed_feature_w0.1': { value: number } })[
    'seed_feature_w0.1'
  ];
  const read = (name: string): tf.Tensor4D => {
    const { data, shape } = referenceFloats(name);
    return tf.transpose(tf.tensor4d(data, shape as [number, number, number, number]), [0, 2, 3, 1]);
  };
  let sum = 0;
  for (const level of [0, 1, 2]) {
    const t = read(`D_feat_teacher_${level}.npy`);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
      tf.mul<tf.Scalar>(squaredError(x as tf.Tensor4D, t), 0.1),
    )(read(`D_feat_student_${level}.npy`));
    sum += valueOf(value);
    const reference = referenceFloats(`D_grad_seed_feature_${level}.npy`).data;
    const found = tf.transpose(grad, [0, 3, 1, 2]).dataSync();
    found.forEach((g, i) =>
      assert.ok(Math.abs(g - (reference[i] ?? NaN)) <= 1e-5 * Math.abs(reference[i] ?? NaN) + 1e-11),
    );
  }
  assert.ok(relativeError(sum, expected.value) < 1e-5, `${sum} ${expected.value}`);
});

test('equal weights are the plain mean, and a pixel of weight 1 alone its own distance', () => {
  const equal = tf.fill<tf.Rank.R4>([2, 4, 5, 1], 1 / 40);
  const one = tf.reshape<tf.Rank.R4>(tf.oneHot(tf.scalar(7, 'int32'), 40), [2, 4, 5, 1]);
  const cut = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 1, 2, 0], [1, 1, 1, 3]);
  for (const distance of [squaredError, absoluteError, cosineDistance]) {
    const [s, t] = [student(), teacher()];
    assert.ok(relativeError(valueOf(distance(s, t, equal)), valueOf(distance(s, t))) < 1e-6);
    const alone = valueOf(distance(cut(s), cut(t)));
    assert.ok(relativeError(valueOf(distance(s, t, tf.cast(one, 'float32'))), alone) < 1e-5);
  }
});
