import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { openEngine } from '../../src/engine/select.ts';

/** A shape, and a box in it: the beginning and size along each axis. */
const boxes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.nat(), fc.nat(), fc.boolean()), {
    minLength: 1,
    maxLength: 5,
  })
  .map((axes) =>
    axes.map(([length, from, extent, whole]) => {
      const begin = whole ? 0 : from % length;
      return { length, begin, size: whole ? length : extent % (length - begin + 1) };
    }),
  );

test('slices of any box, and of long runs, are what an index loop finds', async () => {
  await openEngine('wasm');
  fc.assert(
    fc.property(
      boxes,
      fc.constantFrom(1, 60),
      fc.constantFrom('float32', 'int32', 'bool'),
      (box, last, dtype) => {
        const axes = [...box, { length: last, begin: 0, size: last }];
        const shape = axes.map(({ length }) => length);
        const values = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
          dtype === 'bool' ? i % 3 === 0 : i + 1,
        );
        let expected = [0];
        for (const { length, begin, size } of axes)
          expected = expected.flatMap((at) =>
            Array.from({ length: size }, (_, i) => at * length + begin + i),
          );
        const before = tf.memory().numTensors;
        tf.tidy(() => {
          const x = tf.tensor(values as number[], shape, dtype);
          const y = tf.slice(
            x,
            axes.map(({ begin }) => begin),
            axes.map(({ size }) => size),
          );
          assert.deepEqual(
            y.shape,
            axes.map(({ size }) => size),
          );
          assert.deepEqual(
            [...y.dataSync()],
            expected.map((at) => Number(values[at])),
          );
        });
        assert.equal(tf.memory().numTensors, before);
      },
    ),
    { numRuns: 200, seed: 1 },
  );
});

test('splits are slices, and strings are left to the backend', async () => {
  await openEngine('wasm');
  tf.tidy(() => {
    const parts = tf.split(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), [1, 2], 1);
    assert.deepEqual(
      parts.map((part) => [...part.dataSync()]),
      [
        [1, 4],
        [2, 3, 5, 6],
      ],
    );
    const words = tf.slice(tf.tensor1d(['a', 'b', 'c']), 1, 2);
    assert.deepEqual([...(words.dataSync() as unknown as string[])], ['b', 'c']);
  });
});
