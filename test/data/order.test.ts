/** The order of samples and the bounded map. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { compareBytes } from '../../src/data/byte-order.ts';
import { mapBounded } from '../../src/data/map-bounded.ts';
import { isSoftshardError } from '../../src/errors.ts';

test('compareBytes is the order of the UTF-8 bytes', () => {
  const point = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  );
  const text = fc.array(point, { maxLength: 5 }).map((points) => String.fromCodePoint(...points));
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    {
      seed: 1,
      numRuns: 1000,
      examples: [
        ['\uffee', '\u{1f600}'],
        ['a', 'ab'],
        ['Z', 'a'],
      ],
    },
  );
});

describe('mapBounded', () => {
  test('keeps order and never exceeds its concurrency', async () => {
    let alive = 0;
    let most = 0;
    const items = Array.from({ length: 50 }, (_, i) => i);
    const result = await mapBounded(items, { concurrency: 4 }, async (item) => {
      most = Math.max(most, ++alive);
      for (let i = 0; i < (item * 7) % 5; i++) await tick();
      alive--;
      return item * 2;
    });
    assert.deepEqual(
      result,
      items.map((i) => i * 2),
    );
    assert.equal(most, 4);
    assert.deepEqual(await mapBounded([], { concurrency: 3 }, () => Promise.resolve(1)), []);
  });

  test('the earliest failing item decides, and nothing outlives the promise', async () => {
    let started = 0;
    let alive = 0;
    const run = mapBounded(
      Array.from({ length: 50 }, (_, i) => i),
      { concurrency: 4 },
      async (item) => {
        started++;
        alive++;
        for (let i = 0; i < 10 - item; i++) await tick();
        alive--;
        if (item >= 1) throw new Error(`item ${item}`);
      },
    );
    await assert.rejects(run, /item 1$/);
    assert.equal(alive, 0);
    assert.ok(started < 10);
  });

  test('aborting is E_ABORTED', async () => {
    const controller = new AbortController();
    let started = 0;
    const run = mapBounded(
      Array.from({ length: 50 }),
      { concurrency: 2, signal: controller.signal },
      async () => {
        if (++started === 5) controller.abort(new Error('enough'));
        await tick();
      },
    );
    await assert.rejects(run, (error: unknown) => isSoftshardError(error, 'E_ABORTED'));
    assert.ok(started < 10);
  });
});
