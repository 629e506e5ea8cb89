import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bufferCount,
  concatMap,
  defer,
  finalize,
  from,
  interval,
  lastValueFrom,
  mergeMap,
  take,
  toArray,
} from 'rxjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSoftshardError } from '../../src/errors.ts';
import { createCredits } from '../../src/flow/credits.ts';
import { orderedPrefetch, type PrefetchOptions } from '../../src/flow/ordered-prefetch.ts';

const BYTES = 100;

/** A loader that counts what it produced; the tests count what they consumed. */
const counting = (totalBytes: number, concurrency = 4, loadMs: (i: number) => number = () => 0) => {
  const credits = createCredits(totalBytes);
  const count = { produced: 0, loading: 0, peakLoading: 0 };
  const options: PrefetchOptions<number, number> = {
    bytesOf: () => BYTES,
    credits,
    concurrency,
    load: async (i) => {
      count.loading++;
      count.peakLoading = Math.max(count.peakLoading, count.loading);
      await sleep(loadMs(i));
      count.loading--;
      count.produced++;
      return i * 10;
    },
  };
  return { credits, count, options };
};

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('orderedPrefetch', () => {
  test('keeps the order though loads finish out of order, within concurrency', async () => {
    const { credits, count, options } = counting(100 * BYTES, 3, (i) => (i % 3 === 0 ? 9 : 1));
    const values = await lastValueFrom(
      orderedPrefetch(range(12), options).pipe(
        concatMap(({ value, release }) => defer(() => Promise.resolve(value)).pipe(finalize(release))),
        toArray(),
      ),
    );
    assert.deepEqual(
      values,
      range(12).map((i) => i * 10),
    );
    assert.equal(count.peakLoading, 3);
    assert.equal(credits.inUse, 0);
  });

  test('a slow consumer holds the loader back: produced minus consumed stays within the credits', async () => {
    const { credits, count, options } = counting(5 * BYTES, 8);
    let consumed = 0;
    let ahead = 0;
    await lastValueFrom(
      orderedPrefetch(range(40), options).pipe(
        concatMap(({ value, release }) =>
          defer(async () => {
            await sleep(2);
            ahead = Math.max(ahead, count.produced - consumed);
            consumed++;
            return value;
          }).pipe(finalize(release)),
        ),
      ),
    );
    assert.equal(consumed, 40);
    assert.ok(ahead <= 5, `${ahead} values were alive`);
    assert.ok(credits.peak <= 5 * BYTES);
    assert.equal(credits.inUse, 0);
  });

  test('an endless iterable is pulled, not drained', async () => {
    let pulled = 0;
    function* endless(): Generator<number> {
      for (;;) yield pulled++;
    }
    const { credits, options } = counting(4 * BYTES);
    await lastValueFrom(
      orderedPrefetch(endless(), options).pipe(
        concatMap(({ release }) => defer(() => sleep(1)).pipe(finalize(release))),
        take(10),
      ),
    );
    await sleep(5);
    assert.ok(pulled <= 20, `${pulled} items were pulled`);
    assert.equal(credits.inUse, 0);
  });

  test('a failing load ends the stream after the values before it, and all credits return', async () => {
    const { credits, options } = counting(6 * BYTES);
    const seen: number[] = [];
    await assert.rejects(
      lastValueFrom(
        orderedPrefetch(range(20), {
          ...options,
          load: async (i) => {
            await sleep(i === 7 ? 0 : 2);
            if (i === 7) throw new Error('broken image');
            return i;
          },
        }).pipe(
          mergeMap(({ value, release }) => {
            seen.push(value);
            release();
            return [value];
          }),
        ),
      ),
      /broken image/,
    );
    assert.deepEqual(seen, range(7));
    await sleep(5);
    assert.equal(credits.inUse, 0);
  });

  test('a failing stage behind it returns what waits in queues', async () => {
    const { credits, options } = counting(6 * BYTES);
    await assert.rejects(
      lastValueFrom(
        orderedPrefetch(range(20), options).pipe(
          concatMap(async ({ value, release }) => {
            await sleep(3);
            if (value === 20) throw new Error('stage failed');
            release();
          }),
        ),
      ),
      /stage failed/,
    );
    await sleep(5);
    assert.equal(credits.inUse, 0);
  });

  test('after completion the signal returns what a failed consumer still holds', async () => {
    const { credits, options } = counting(6 * BYTES);
    const controller = new AbortController();
    await lastValueFrom(orderedPrefetch(range(3), { ...options, signal: controller.signal }));
    assert.equal(credits.inUse, 3 * BYTES);
    controller.abort();
    assert.equal(credits.inUse, 0);
  });

  test('unsubscribing aborts loads and returns their credits when they end', async () => {
    const { credits, options } = counting(6 * BYTES);
    let aborted = 0;
    const subscription = orderedPrefetch(range(20), {
      ...options,
      load: async (i, signal) => {
        if (i < 2) return i;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 5)));
        aborted++;
        return i;
      },
    }).subscribe();
    await sleep(5);
    assert.equal(credits.inUse, 6 * BYTES);
    subscription.unsubscribe();
    // The two emitted ones return at once; the loads are alive until they end.
    assert.equal(credits.inUse, 4 * BYTES);
    await sleep(15);
    assert.equal(aborted, 4);
    assert.equal(credits.inUse, 0);
  });

  test('an abort before and during loading is E_ABORTED', async () => {
    const { credits, options } = counting(6 * BYTES, 2, () => 5);
    for (const early of [true, false]) {
      const controller = new AbortController();
      if (early) controller.abort();
      else setTimeout(() => controller.abort(), 3);
      await assert.rejects(
        lastValueFrom(orderedPrefetch(range(9), { ...options, signal: controller.signal })),
        (error) => isSoftshardError(error, 'E_ABORTED'),
      );
    }
    await sleep(15);
    assert.equal(credits.inUse, 0);
  });

  test('too few credits for a batch are an error at the start, not a deadlock', async () => {
    const { options, count, credits } = counting(7 * BYTES);
    await assert.rejects(
      lastValueFrom(orderedPrefetch(range(20), { ...options, batch: 8 }).pipe(bufferCount(8))),
      (error) => isSoftshardError(error, 'E_CREDITS'),
    );
    assert.equal(count.produced, 0);
    assert.equal(credits.inUse, 0);
  });

  test('takes observables, their errors and async iterables', async () => {
    const { options } = counting(3 * BYTES);
    const drain = { concurrency: 2 };
    const values = (source: Parameters<typeof orderedPrefetch<number, number>>[0]) =>
      lastValueFrom(
        orderedPrefetch(source, { ...options, ...drain }).pipe(
          mergeMap(({ value, release }) => {
            release();
            return [value];
          }),
          toArray(),
        ),
      );
    assert.deepEqual(await values(interval(1).pipe(take(5))), [0, 10, 20, 30, 40]);
    assert.deepEqual(await values(from([4, 5])), [40, 50]);
    async function* later(): AsyncGenerator<number> {
      await sleep(1);
      yield 6;
    }
    assert.deepEqual(await values(later()), [60]);
    await assert.rejects(
      values(
        defer(() => {
          throw new Error('no plan');
        }),
      ),
      /no plan/,
    );
  });

  test('property: any sizes, delays and pool keep order and bound', async () => {
    const item = fc.record({ bytes: fc.integer({ min: 0, max: 10 }), ms: fc.integer({ min: 0, max: 2 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 15 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 10, max: 30 }),
        async (items, concurrency, total) => {
          const credits = createCredits(total);
          const seen = await lastValueFrom(
            orderedPrefetch(items.entries(), {
              bytesOf: ([, { bytes }]) => bytes,
              credits,
              concurrency,
              load: async ([i, { ms }]) => {
                await sleep(ms);
                return i;
              },
            }).pipe(
              concatMap(({ value, release }) =>
                defer(async () => (await sleep(0), value)).pipe(finalize(release)),
              ),
              toArray(),
            ),
          );
          assert.deepEqual(seen, range(items.length));
          assert.equal(credits.inUse, 0);
          assert.ok(credits.peak <= total);
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });
});
