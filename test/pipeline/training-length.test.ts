import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { divideEpochs, trainingLength } from '../../src/pipeline/training-length.ts';

describe('trainingLength', () => {
  test('is within half an epoch of the batches', () => {
    const batches = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 300 }), (steps, about) => {
        const { epochs, stepsPerEpoch } = trainingLength(steps, about);
        assert.ok(epochs >= 1 && stepsPerEpoch >= 1);
        assert.ok(Math.abs(epochs * stepsPerEpoch - steps) <= stepsPerEpoch / 2);
      }),
      { seed: 1 },
    );
    assert.deepEqual(trainingLength(1300, 100), { epochs: 100, stepsPerEpoch: 13 });
  });
});

describe('divideEpochs', () => {
  test('gives each share an epoch at least, and all together the whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 5, max: 300 }),
        (parts, epochs) => {
          const sum = parts.reduce((a, b) => a + b, 0);
          const divided = divideEpochs(
            epochs,
            parts.map((part) => part / sum),
          );
          assert.equal(
            divided.reduce((a, b) => a + b, 0),
            epochs,
          );
          assert.ok(divided.every((part) => part >= 1));
        },
      ),
      { seed: 1 },
    );
    assert.deepEqual(divideEpochs(25, [0.1, 0.9]), [3, 22]);
    assert.throws(() => divideEpochs(1, [0.5, 0.5]), /at least 2 epochs/);
  });
});
