import { test } from 'node:test';
import assert from 'node:assert/strict';
import { classificationMetrics } from '../../src/metric/classification-metrics.ts';

test('accuracy over all and by class, confusion and cross entropy', () => {
  const counter = classificationMetrics(['a', 'b', 'c']);
  counter.add([2, 1, 0], 0);
  counter.add([0, 3, 1], 0);
  counter.add([0, 1, 0], 1);
  const { images, accuracy, meanClassAccuracy, crossEntropy, perClass, confusion } = counter.result();
  assert.equal(images, 3);
  assert.ok(Math.abs(accuracy - 2 / 3) < 1e-12);
  assert.equal(meanClassAccuracy, 0.75);
  assert.deepEqual(
    perClass.map((one) => [one.name, one.images, one.accuracy]),
    [
      ['a', 2, 0.5],
      ['b', 1, 1],
      ['c', 0, null],
    ],
  );
  assert.deepEqual(confusion, [
    [1, 0, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  const entropy = (logits: readonly number[], truth: number): number =>
    Math.log(logits.reduce((sum, v) => sum + Math.exp(v), 0)) - (logits[truth] ?? NaN);
  const expected = (entropy([2, 1, 0], 0) + entropy([0, 3, 1], 0) + entropy([0, 1, 0], 1)) / 3;
  assert.ok(Math.abs(crossEntropy - expected) < 1e-12);
});
