import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { followCache, wantedUnits, type FollowWait } from '../../src/cache/follow-cache.ts';
import type { Clock } from '../../src/cache/lease.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { EXTENT, optionsFor, planOf, targetsOf, writeSynthetic } from './synthetic.ts';

const clock: Clock = { now: () => 0, sleep: async () => new Promise((resolve) => setImmediate(resolve)) };

test('a follower waits for the unit it needs and reads what a finished cache gives', async () => {
  const [store, beside, whole] = [memoryStore(), memoryStore(), memoryStore()];
  await writeSynthetic(whole);
  const finished = await openCache(whole);
  const waits: FollowWait[] = [];
  const keys = [
    { sample: 9, view: 1 },
    { sample: 0, view: 0 },
    { sample: 5, view: 1 },
  ];
  const following = (async () => {
    const cache = await followCache(store, { clock, beside, onWait: (wait) => waits.push(wait) });
    const targets = await cache.readMany(keys);
    return [...targets, await cache.read(1, 0)];
  })();
  const made: number[] = [];
  while (waits.length === 0) await clock.sleep(0);
  const writer = await openCacheForWriting(optionsFor(store));
  while (made.length < 3) {
    for (const index of await wantedUnits(beside)) {
      const unit = planOf(EXTENT).units[index];
      if (unit === undefined || made.includes(index)) continue;
      await writer.writeUnit(unit, targetsOf(unit));
      made.push(index);
    }
    await clock.sleep(0);
  }
  const targets = await following;
  assert.deepEqual(targets, [...(await finished.readMany(keys)), await finished.read(1, 0)]);
  assert.deepEqual(made, [5, 0, 4], 'in the order of need');
  assert.deepEqual(
    waits.map(({ unit }) => unit),
    [undefined, 5, 0, 4],
  );
  assert.equal(waits[1]?.total, 6);
  assert.deepEqual(await wantedUnits(beside), []);
});

test('waiting ends with the signal; what a cache never holds is refused at once', async () => {
  const store = memoryStore();
  await openCacheForWriting(optionsFor(store));
  const controller = new AbortController();
  const { signal } = controller;
  const cache = await followCache(store, {
    clock,
    signal,
    onWait: () => controller.abort(new Error('enough')),
  });
  await assert.rejects(cache.read(0, 7), (error) => isSoftshardError(error, 'E_CACHE_INCOMPLETE'));
  await assert.rejects(cache.read(0, 0), (error) => isSoftshardError(error, 'E_ABORTED'));
});
