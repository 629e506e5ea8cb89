import { test } from 'node:test';
import assert from 'node:assert/strict';
import { batchEvent } from '../../src/train/batch-event.ts';
import { freshProgress } from '../../src/train/checkpoint.ts';

test('the live line has epoch, batches, means of the terms, pace, memory and time left', () => {
  const progress = {
    ...freshProgress(),
    epoch: 2,
    batch: 4,
    sums: { total: 8, 'hard/box': 2, 'output/obj': 1, 'weighted/output/obj': 3, gradient_norm: 9 },
  };
  const event = batchEvent(
    progress,
    { perEpoch: 10, epochs: 5, batchSize: 16 },
    { rate: 32, dataWait: 0.25 },
    1e9,
  );
  assert.deepEqual(event, {
    type: 'step',
    done: 24,
    total: 50,
    of: 'batches, epoch 3/5',
    metrics: { 'train/total': 2, 'train/hard/box': 0.5, 'train/weighted/output/obj': 0.75 },
    rate: 32,
    dataWait: 0.25,
    etaS: 13,
    memoryBytes: 1e9,
  });
});
