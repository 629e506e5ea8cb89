import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelBalance } from '../../src/loss/level-balance.ts';
import { scaleGains } from '../../src/loss/scale-gains.ts';

test('gains are scaled by levels, classes and image size', () => {
  const scaled = scaleGains({ box: 0.05, obj: 1, cls: 0.5 }, { nc: 20, levels: 3, imgsz: 320 });
  assert.deepEqual(scaled, { box: 0.05, obj: 0.25, cls: 0.125 });
});

test('gains of a head with four levels shrink by 3/4', () => {
  const scaled = scaleGains({ box: 0.04, obj: 1, cls: 0.5 }, { nc: 80, levels: 4, imgsz: 640 });
  assert.deepEqual(scaled, { box: 0.04 * 0.75, obj: 0.75, cls: 0.375 });
});

test('the balance has one weight a level', () => {
  assert.deepEqual(levelBalance(3), [4, 1, 0.4]);
  assert.deepEqual(levelBalance(2), [4, 1]);
  assert.deepEqual(levelBalance(4), [4, 1, 0.25, 0.06]);
});
