import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFactor, type Schedule } from '../../src/loss/schedule.ts';

const factors = (schedule: Schedule, epochs: number): number[] =>
  Array.from({ length: epochs }, (_, epoch) => Number(scheduleFactor(schedule, epoch, epochs).toFixed(6)));

test('constant keeps its first factor until it is switched off', () => {
  assert.deepEqual(factors({ kind: 'constant', from: 0.5, to: 9, offLastEpochs: 2 }, 4), [0.5, 0.5, 0, 0]);
});

test('linear and cosine end at `to` in the last epoch that counts', () => {
  assert.deepEqual(factors({ kind: 'linear', from: 1, to: 0, offLastEpochs: 0 }, 5), [1, 0.75, 0.5, 0.25, 0]);
  assert.deepEqual(factors({ kind: 'linear', from: 1, to: 0.5, offLastEpochs: 1 }, 4), [1, 0.75, 0.5, 0]);
  assert.deepEqual(factors({ kind: 'cosine', from: 1, to: 0.01, offLastEpochs: 0 }, 3), [1, 0.505, 0.01]);
});

test('a single epoch has the first factor', () => {
  assert.deepEqual(factors({ kind: 'cosine', from: 1, to: 0, offLastEpochs: 0 }, 1), [1]);
});
