import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { blockSuppression, featureMapNms } from '../../src/loss/feature-map-nms.ts';
import { ops } from './on-engine.ts';
import { vectorHeads } from './vectors.ts';

/** The definition, row by row: no row of the same best class within one cell is surer. */
function definition(head: tf.Tensor5D): number[] {
  const [batch, ny, nx, na] = head.shape;
  const values = head.arraySync();
  const bestClass = (row: number[]): number => {
    const classes = row.slice(5);
    return classes.indexOf(Math.max(...classes));
  };
  const stays: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++)
        for (let a = 0; a < na; a++) {
          const row = values[b]?.[y]?.[x]?.[a] ?? [];
          const rivals = [-1, 0, 1].flatMap((dy) =>
            [-1, 0, 1].flatMap((dx) => values[b]?.[y + dy]?.[x + dx] ?? []),
          );
          const surer = rivals.some(
            (rival) => bestClass(rival) === bestClass(row) && (rival[4] ?? NaN) > (row[4] ?? NaN),
          );
          stays.push(surer ? 0 : 1);
        }
  return stays;
}

test('neighbours of the same class are suppressed as the definition says', () => {
  // Irrational steps: no two rows are equally sure, no two classes of a row equal.
  const heads = vectorHeads((v) => v).map((head, level) =>
    tf.tensor5d(
      Float32Array.from({ length: head.size }, (_, i) => 3 * Math.sin(1.3 * i * i + level)),
      head.shape,
    ),
  );
  for (const head of heads) {
    const found = featureMapNms(ops, head).dataSync();
    assert.deepEqual([...found], definition(head));
    assert.ok(found.includes(0) && found.includes(1));
  }
});

test('a single class, and one row alone', () => {
  const head = tf.tensor5d([0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 1], [1, 1, 2, 1, 6]);
  assert.deepEqual([...featureMapNms(ops, head).dataSync()], [0, 1]);
  assert.deepEqual([...featureMapNms(ops, tf.ones([1, 1, 1, 1, 6])).dataSync()], [1]);
});

test('blocks keep one row each, and all rows past the last whole block', () => {
  const grid = { batch: 1, ny: 4, nx: 3, na: 2 };
  const stays = blockSuppression(
    Array.from({ length: 24 }, (_, i) => (i === 11 ? 5 : Math.sin(i))),
    grid,
  );
  assert.deepEqual(
    [...stays].slice(0, 18),
    Array.from({ length: 18 }, (_, i) => (i === 11 ? 1 : 0)),
  );
  assert.deepEqual([...stays].slice(18), [1, 1, 1, 1, 1, 1]);
});
