import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  accumulation,
  decayFactor,
  effectiveDecay,
  iterationSettings,
  warmupIterations,
  type ScheduleOptions,
} from '../../src/optim/schedule.ts';

// Batch 16, 200 batches an epoch, 100 epochs: the worked example of YOLOv5's warm-up.
const options: ScheduleOptions = {
  epochs: 100,
  batchesPerEpoch: 200,
  batchSize: 16,
  nominalBatch: 64,
  lr0: 0.01,
  lrf: 0.01,
  momentum: 0.937,
  warmupEpochs: 3,
  warmupMomentum: 0.8,
  warmupBiasLr: 0.1,
  warmupMinimum: 100,
  decay: 'linear',
};

test('warm-up and decay follow the worked example', () => {
  assert.equal(warmupIterations(options), 600);
  const rows: [number, number, number, number, number][] = [
    [0, 1, 0.1, 0, 0.8],
    [100, 2, 0.085, 0.00166667, 0.822833],
    [300, 2, 0.0549505, 0.0049505, 0.8685],
    [599, 4, 0.00995233, 0.00978566, 0.936772],
    [601, 4, 0.009703, 0.009703, 0.937],
    [19999, 4, 0.000199, 0.000199, 0.937],
  ];
  for (const [iteration, accumulate, bias, other, momentum] of rows) {
    const actual = iterationSettings(options, iteration, Math.floor(iteration / 200));
    assert.equal(actual.accumulate, accumulate, `accumulate at ${iteration}`);
    for (const [value, expected] of [
      [actual.biasLearningRate, bias],
      [actual.learningRate, other],
      [actual.momentum, momentum],
    ] as const) {
      assert.ok(
        Math.abs(value - expected) < 5e-7 * Math.max(1, Math.abs(expected) * 1e2),
        `${value} at ${iteration}`,
      );
    }
  }
});

test('cosine decay runs from 1 to lrf', () => {
  const cosine = { epochs: 10, lrf: 0.1, decay: 'cosine' } as const;
  assert.equal(decayFactor(cosine, 0), 1);
  assert.ok(Math.abs(decayFactor(cosine, 5) - 0.55) < 1e-12);
  assert.ok(Math.abs(decayFactor(cosine, 10) - 0.1) < 1e-12);
});

test('accumulation rounds half to even and decay scales with what a step sees', () => {
  assert.equal(accumulation({ nominalBatch: 64, batchSize: 16 }), 4);
  assert.equal(accumulation({ nominalBatch: 64, batchSize: 128 }), 1);
  assert.equal(accumulation({ nominalBatch: 5, batchSize: 2 }), 2);
  assert.equal(effectiveDecay(0.0005, { nominalBatch: 64, batchSize: 128 }), 0.001);
});
