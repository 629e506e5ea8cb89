import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createProgress, duration, figure, screenOn } from '../../src/cli/progress.ts';
import type { EventBody } from '../../src/flow/step-command.ts';

const written = (isTerminal: boolean, events: readonly EventBody[]): string => {
  let text = '';
  const write = (part: string): void => void (text += part);
  const progress = createProgress({ write, isTerminal, hasColour: false, columns: 80 });
  for (const body of events) progress.show({ ...body, run: 'train-1', step: 'train' });
  return text;
};

const unit = { type: 'unit', unit: 2, total: 12, views: 64, state: 'written', bytes: 4.28e6 } as const;

describe('createProgress', () => {
  test('one line a unit and an epoch, with rate, data wait and time left', () => {
    const text = written(false, [
      { ...unit, rate: 123.4567, dataWait: 0.123, etaS: 3723 },
      {
        type: 'epoch',
        epoch: 0,
        total: 9,
        metrics: { 'train/total': 4.25, 'train/box': 0.0123456, 'metrics/mAP50': 0.5 },
        etaS: 65,
      },
    ]);
    assert.equal(
      text,
      'train: unit 3/12  64 views written  4.3 MB  123 views/s  data wait 12 %  1:02:03 left\n' +
        'train: epoch 1/9  total 4.25  mAP50 0.5  1:05 left\n',
    );
  });

  test('rewrites one line on a terminal, clears it before the next, cut to its width', () => {
    const text = written(true, [
      { type: 'step', done: 1, total: 4, of: 'batches of epoch 1/1', rate: 2, memoryBytes: 1.5e9 },
      { type: 'info', message: 'x' },
    ]);
    assert.equal(text, '\r\u001b[Ktrain: 1/4 batches of epoch 1/1  1.50 GB  2 images/s\r\u001b[Ktrain: x\n');
  });

  test('elsewhere a line at each tenth', () => {
    const steps = Array.from({ length: 200 }, (_, i) => ({ type: 'step', done: i + 1, total: 200 }) as const);
    assert.equal(written(false, steps).trim().split('\n').length, 11);
  });

  test('colours need a terminal that wants them', () => {
    const stream = { write: () => true, isTTY: true, columns: 80 };
    assert.ok(screenOn(stream, {}).hasColour);
    assert.ok(!screenOn(stream, { NO_COLOR: '1' }).hasColour);
    assert.ok(!screenOn(stream, { TERM: 'dumb' }).isTerminal);
    assert.ok(!screenOn({ write: () => true }, {}).hasColour);
    const passedOn = screenOn({ write: () => true }, { SOFTSHARD_COLUMNS: '72' });
    assert.deepEqual([passedOn.isTerminal, passedOn.columns], [true, 72]);
  });

  test('figures and times', () => {
    assert.deepEqual([0, 1.5, 64, 123456.7, 0.00001234].map(figure), [
      '0',
      '1.5',
      '64',
      '123500',
      '0.00001234',
    ]);
    assert.deepEqual([0, 59.6, 3600].map(duration), ['0:00', '1:00', '1:00:00']);
  });
});
