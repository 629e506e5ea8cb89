import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openCache } from '../../src/cache/cache-reader.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { decodeFloat16, encodeFloat16 } from '../../src/weights/float16.ts';
import { floatBlob, type Target } from '../../src/cache/target.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import type { Unit } from '../../src/data/plan.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import {
  contentOf,
  EXTENT,
  IDENTITY,
  optionsFor,
  planOf,
  PROVENANCE,
  syntheticTarget,
  targetsOf,
  writeSynthetic,
} from './synthetic.ts';
import { temporaryFolder } from './temporary-folder.ts';

const code =
  (expected: ErrorCode, text?: RegExp) =>
  (error: unknown): boolean =>
    isSoftshardError(error, expected) && (text === undefined || text.test(error.message));

const unitAt = (index: number): Unit => {
  const unit = planOf(EXTENT).units[index];
  assert.ok(unit !== undefined);
  return unit;
};

const throughFloat16 = (data: Float32Array): Float32Array => {
  const half = new Uint16Array(data.length);
  encodeFloat16(data, half);
  const back = new Float32Array(data.length);
  decodeFloat16(half, back);
  return back;
};

test('every view comes back from a folder, in its codecs', async (t) => {
  const folder = await temporaryFolder(t);
  const store = folderStore(join(folder, 'cache'));
  const writer = await openCacheForWriting({ ...optionsFor(store), localDir: join(folder, 'cache.local') });
  for (const unit of planOf(EXTENT).units) {
    const record = await writer.writeUnit(unit, targetsOf(unit));
    assert.deepEqual(
      record.samples,
      unit.views.map((key) => key.sample),
    );
  }
  const seal = await writer.seal();
  assert.deepEqual(await writer.seal(), seal);
  assert.ok(writer.sealed);
  await writer.close();
  assert.deepEqual((await readdir(folder)).sort(), ['cache', 'cache.local']);

  const cache = await openCache(store);
  assert.deepEqual(cache.units, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(cache.kinds, ['heads', 'feature.4', 'pixels']);
  assert.deepEqual(cache.manifest.identity, IDENTITY);
  assert.deepEqual(cache.manifest.provenance, PROVENANCE);
  for (let view = 0; view < EXTENT.views; view++) {
    for (let sample = 0; sample < EXTENT.samples; sample++) {
      const expected = syntheticTarget(sample, view);
      const target = await cache.read(sample, view);
      assert.equal(target.inputDigest, expected.inputDigest);
      assert.deepEqual(target.record, expected.record);
      assert.deepEqual([...target.blobs.keys()], [...expected.blobs.keys()]);
      assert.deepEqual(target.blobs.get('pixels'), expected.blobs.get('pixels'));
      assert.deepEqual(floatBlob(target, 'feature.4').data, floatBlob(expected, 'feature.4').data);
      for (const head of ['head.0', 'head.1']) {
        assert.deepEqual(floatBlob(target, head).data, throughFloat16(floatBlob(expected, head).data));
        assert.deepEqual(floatBlob(target, head).shape, floatBlob(expected, head).shape);
      }
    }
  }
  const keys = Array.from({ length: 20 }, (_, i) => ({ sample: (i * 7) % 10, view: i % 2 }));
  const many = await cache.readMany(keys, ['pixels']);
  assert.deepEqual(
    many.map(({ sample, view, blobs }) => ({ sample, view, names: [...blobs.keys()] })),
    keys.map((key) => ({ ...key, names: ['pixels'] })),
  );
});

test('the order of writing, several at once included, changes no byte', async () => {
  const reference = memoryStore();
  await writeSynthetic(reference);
  const expected = await contentOf(reference);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      fc.boolean(),
      async (order, together) => {
        const store = memoryStore();
        const writer = await openCacheForWriting(optionsFor(store));
        const write = async (index: number) => writer.writeUnit(unitAt(index), targetsOf(unitAt(index)));
        if (together) await Promise.all(order.map(write));
        else for (const index of order) await write(index);
        await writer.seal();
        assert.deepEqual(await contentOf(store), expected);
      },
    ),
    { seed: 1, numRuns: 20 },
  );
});

test('a folder and memory hold the same bytes', async (t) => {
  const [inFolder, inMemory] = [folderStore(await temporaryFolder(t)), memoryStore()];
  await writeSynthetic(inFolder);
  await writeSynthetic(inMemory);
  assert.deepEqual(await contentOf(inFolder), await contentOf(inMemory));
});

test('an interrupted cache goes on where it stopped', async () => {
  const store = memoryStore();
  const first = await openCacheForWriting(optionsFor(store));
  await first.writeUnit(unitAt(2), targetsOf(unitAt(2)));
  async function* failing() {
    yield syntheticTarget(0, 0);
    await Promise.reject(new Error('the teacher failed'));
  }
  await assert.rejects(first.writeUnit(unitAt(0), failing()), /the teacher failed/);
  await first.close();
  // What a writer leaves that was killed between a unit's shards and its record.
  await store.putIfAbsent('parts/v000/heads/fp16/000001.shard', new Uint8Array([1, 2, 3]));

  const second = await openCacheForWriting(optionsFor(store));
  assert.deepEqual([...second.committed], [2]);
  await assert.rejects(second.seal(), code('E_CACHE_INCOMPLETE', /unit 0/));
  await assert.rejects(second.writeUnit(unitAt(2), targetsOf(unitAt(2))), code('E_INTERNAL'));
  for (const i of [0, 1, 3, 4, 5]) await second.writeUnit(unitAt(i), targetsOf(unitAt(i)));
  await second.seal();
  const reference = memoryStore();
  await writeSynthetic(reference);
  assert.deepEqual(await contentOf(store), await contentOf(reference));

  const third = await openCacheForWriting(optionsFor(store));
  assert.ok(third.sealed);
  assert.equal(third.committed.size, 6);
});

test('another identity, provenance or extent is refused, naming the field', async (t) => {
  const folder = await temporaryFolder(t);
  const store = folderStore(join(folder, 'cache'));
  await writeSynthetic(store);
  const options = { ...optionsFor(store), localDir: join(folder, 'cache.local') };
  await assert.rejects(
    openCacheForWriting({ ...options, identity: { ...IDENTITY, seed: 8 } }),
    code('E_CACHE_IDENTITY', /seed/),
  );
  await assert.rejects(
    openCacheForWriting({ ...options, provenance: { ...PROVENANCE, threads: 2 } }),
    code('E_CACHE_PROVENANCE', /threads/),
  );
  await assert.rejects(
    openCacheForWriting({ ...options, extent: { ...EXTENT, views: 3 } }),
    code('E_CACHE_IDENTITY', /extent\.views/),
  );
  const writer = await openCacheForWriting(options);
  await assert.rejects(openCacheForWriting(options), code('E_CACHE_LOCKED'));
  await writer.close();
  // Reading asks for no provenance.
  assert.equal((await openCache(store)).manifest.provenance['threads'], 1);
});

test('a bad extent is refused before anything is written', async () => {
  const store = memoryStore();
  const bad = [
    { ...EXTENT, samples: 0 },
    { ...EXTENT, views: 1.5 },
    { ...EXTENT, answers: [] },
    { ...EXTENT, answers: [{ kind: '../up', blobs: ['a'], codec: 'fp16' }] },
    { ...EXTENT, answers: [...EXTENT.answers, ...EXTENT.answers] },
  ];
  for (const extent of bad) {
    await assert.rejects(openCacheForWriting(optionsFor(store, extent)), code('E_USAGE'));
  }
  const unknown = { ...EXTENT, answers: [{ kind: 'heads', blobs: ['a'], codec: 'fp64' }] };
  await assert.rejects(
    openCacheForWriting(optionsFor(store, unknown)),
    code('E_CODEC', /fp16, fp32, int8, raw/),
  );
  assert.deepEqual(await store.list(''), []);
  await store.putIfAbsent('holiday.jpg', new Uint8Array([1]));
  await assert.rejects(openCacheForWriting(optionsFor(store)), code('E_CACHE_FORMAT', /holiday\.jpg/));
});

test('targets out of order, too few, too many or with strange blobs are refused', async () => {
  const unit = unitAt(0);
  const targets = targetsOf(unit);
  const [a, b, ...rest] = targets;
  assert.ok(a !== undefined && b !== undefined);
  const strange: Target = {
    ...a,
    blobs: new Map([...a.blobs, ['novel', { shape: [0], data: new Float32Array() }]]),
  };
  const lacking: Target = { ...a, blobs: new Map([...a.blobs].slice(1)) };
  const store = memoryStore();
  const writer = await openCacheForWriting(optionsFor(store));
  for (const wrong of [
    [b, a, ...rest],
    [a, b],
    [],
    [...targets, syntheticTarget(4, 0)],
    [strange, b, ...rest],
    [lacking, b, ...rest],
  ]) {
    await assert.rejects(writer.writeUnit(unit, wrong), code('E_INTERNAL'));
  }
  await assert.rejects(writer.writeUnit({ ...unit, index: 1 }, targets), code('E_INTERNAL'));
  await assert.rejects(writer.writeUnit({ ...unit, index: 99 }, targets), code('E_USAGE'));
  assert.deepEqual(await store.list(''), ['cache.json']);
});

test('replaying a unit compares and never writes', async () => {
  const store = memoryStore();
  await writeSynthetic(store);
  const before = await contentOf(store);
  const writer = await openCacheForWriting(optionsFor(store));
  const unit = unitAt(4);
  assert.deepEqual(await writer.compareUnit(unit, targetsOf(unit)), { equal: true, views: 4 });
  const change = (position: number, changed: (target: Target) => Target): Target[] =>
    targetsOf(unit).map((target, i) => (i < position ? target : changed(target)));
  const cases: [Target[], string, string][] = [
    [change(2, (t) => ({ ...t, inputDigest: 'other' })), 'heads', 'input'],
    [change(2, (t) => ({ ...t, record: { other: 1 } })), 'heads', 'record'],
    [change(2, (t) => ({ ...t, blobs: syntheticTarget(t.sample, t.view, 1, 1).blobs })), 'heads', 'head.1'],
    [
      change(2, (t) => {
        const data = floatBlob(t, 'feature.4').data.map((x) => x + 1);
        return { ...t, blobs: new Map([...t.blobs, ['feature.4', { shape: [3, 1], data }]]) };
      }),
      'feature.4',
      'feature.4',
    ],
  ];
  for (const [targets, kind, what] of cases) {
    assert.deepEqual(await writer.compareUnit(unit, targets), {
      equal: false,
      firstView: { sample: 6, view: 1 },
      position: 2,
      kind,
      what,
    });
  }
  assert.deepEqual(await contentOf(store), before);
});

test("a value that differs below the codec's precision is equal: what is cached is compared", async () => {
  const store = memoryStore();
  await writeSynthetic(store);
  const writer = await openCacheForWriting(optionsFor(store));
  const unit = unitAt(1);
  const nudged = targetsOf(unit).map((t) => ({
    ...t,
    blobs: new Map([
      ...t.blobs,
      ['head.1', { shape: [2], data: floatBlob(t, 'head.1').data.map((x) => x * (1 + 2 ** -20)) }] as const,
    ]),
  }));
  assert.equal((await writer.compareUnit(unit, nudged)).equal, true);
});

test('an unsealed cache is read only when that is asked for', async () => {
  const store = memoryStore();
  const writer = await openCacheForWriting(optionsFor(store));
  await writer.writeUnit(unitAt(1), targetsOf(unitAt(1)));
  await assert.rejects(openCache(store), code('E_CACHE_INCOMPLETE', /SEAL/));
  const cache = await openCache(store, { allowUnsealed: true });
  assert.deepEqual(cache.units, [1]);
  assert.equal(cache.seal, undefined);
  assert.equal((await cache.read(5, 0)).sample, 5);
  await assert.rejects(cache.read(0, 0), code('E_CACHE_INCOMPLETE'));
  await writer.writeUnit(unitAt(0), targetsOf(unitAt(0)));
  assert.equal((await cache.read(0, 0)).sample, 0);
  await assert.rejects(cache.read(10, 0), code('E_CACHE_INCOMPLETE', /sample 10/));
  await assert.rejects(cache.read(0, 2), code('E_CACHE_INCOMPLETE', /view 2/));
  await assert.rejects(cache.read(0, 0, ['nms']), code('E_CACHE_INCOMPLETE', /nms/));
  await assert.rejects(openCache(memoryStore()), code('E_CACHE_FORMAT', /not a cache/));
});

test('aborting ends in E_ABORTED and leaves nothing open', async (t) => {
  const folder = await temporaryFolder(t);
  const store = folderStore(folder);
  const controller = new AbortController();
  const writer = await openCacheForWriting({ ...optionsFor(store), signal: controller.signal });
  async function* abortingTargets() {
    const [first, ...rest] = targetsOf(unitAt(0));
    assert.ok(first !== undefined);
    yield await Promise.resolve(first);
    controller.abort(new Error('enough'));
    yield* rest;
  }
  await assert.rejects(writer.writeUnit(unitAt(0), abortingTargets()), code('E_ABORTED'));
  await assert.rejects(writer.writeUnit(unitAt(1), targetsOf(unitAt(1))), code('E_ABORTED'));
  assert.deepEqual(await store.list(''), ['cache.json']);
  assert.deepEqual(await readdir(join(folder, 'parts', 'v000', 'heads', 'fp16')), []);
  const read = await openCache(store, { allowUnsealed: true, signal: controller.signal });
  await assert.rejects(read.read(0, 0), code('E_ABORTED'));
  await assert.rejects(
    verifyCache(store, { signal: controller.signal }).then(async () => read.read(0, 0)),
    code('E_ABORTED'),
  );
});

test('few kept unit records serve many views', async () => {
  const store = memoryStore();
  await writeSynthetic(store);
  let gets = 0;
  const counting = { ...store, get: async (name: string) => (gets++, store.get(name)) };
  const cache = await openCache(counting, { keptUnits: 2 });
  gets = 0;
  for (const sample of [0, 1, 4, 5, 0, 4]) await cache.read(sample, 0);
  assert.equal(gets, 2);
  await cache.read(8, 0);
  await cache.read(4, 0);
  assert.equal(gets, 3);
  await cache.read(0, 0);
  assert.equal(gets, 4);
});

test('damage found while reading names the record', async () => {
  const objects = new Map<string, Uint8Array>();
  const store = memoryStore(objects);
  await writeSynthetic(store);
  const name = 'parts/v001/heads/fp16/000003.shard';
  const shard = objects.get(name);
  assert.ok(shard !== undefined);
  const cache = await openCache(store);
  shard[shard.byteLength - 20] = (shard[shard.byteLength - 20] ?? 0) ^ 1;
  await assert.rejects(
    cache.read(3, 1),
    code('E_CACHE_CORRUPT', /000003\.shard, record 3 \(sample 3, view 1\)/),
  );
  assert.equal((await cache.read(2, 1)).sample, 2);
  // Two records swapped whole, each with a right crc32 of its own.
  const other = objects.get('parts/v000/heads/fp16/000000.shard');
  objects.set(name, other ?? new Uint8Array());
  await assert.rejects(cache.read(2, 1), code('E_CACHE_CORRUPT'));
  objects.delete(name);
  await assert.rejects(cache.read(2, 1), code('E_CACHE_CORRUPT', /no such object/));
});
