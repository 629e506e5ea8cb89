import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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

describe('the schedules of the papers', () => {
  test('FitNets: from 4 to 1, linearly', () => {
    const found = factors({ kind: 'linear', from: 4, to: 1, offLastEpochs: 0 }, 4);
    assert.deepEqual(found, [4, 3, 2, 1]);
  });

  test('YOLOv6: from 1 to 0.01 by a cosine', () => {
    const found = factors({ kind: 'cosine', from: 1, to: 0.01, offLastEpochs: 0 }, 5);
    assert.deepEqual(found, [1, 0.855018, 0.505, 0.154982, 0.01]);
  });

  test('RTMDet: off in the last 20 of 300 epochs', () => {
    const found = factors({ kind: 'constant', from: 1, to: 1, offLastEpochs: 20 }, 300);
    assert.deepEqual([found.indexOf(0), found.filter((factor) => factor === 1).length], [280, 280]);
  });

  test('DKD: a warm-up in equal steps, over any other schedule', () => {
    const base = { from: 1, to: 1, offLastEpochs: 1, warmupEpochs: 4 } as const;
    assert.deepEqual(factors({ kind: 'constant', ...base }, 6), [0.25, 0.5, 0.75, 1, 1, 0]);
    assert.deepEqual(factors({ kind: 'linear', ...base, to: 0 }, 6), [0.25, 0.375, 0.375, 0.25, 0, 0]);
  });
});

test('a share of the epochs at the end is off, rounded down; the larger of share and number counts', () => {
  const off = { kind: 'constant', from: 1, to: 1, offLastEpochs: 1, offLastShare: 0.3 } as const;
  const factors = (epochs: number): number[] =>
    Array.from({ length: epochs }, (_, epoch) => scheduleFactor(off, epoch, epochs));
  assert.deepEqual(factors(10), [1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  assert.deepEqual(factors(3), [1, 1, 0]);
});
