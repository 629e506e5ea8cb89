import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { inspectCache } from '../../src/cache/inspect.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { encodeManifest } from '../../src/cache/manifest.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { mutate, MUTATIONS } from '../cache-mutation.ts';
import { EXTENT, IDENTITY, optionsFor, planOf, PROVENANCE, targetsOf, writeSynthetic } from './synthetic.ts';

const LONG = process.env['SOFTSHARD_TEST_LONG'] !== undefined;

async function sealedObjects(): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  await writeSynthetic(memoryStore(objects));
  return objects;
}

const bytesAt = (objects: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array => {
  const bytes = objects.get(name);
  assert.ok(bytes !== undefined, name);
  return bytes;
};

test('a whole cache has no problem', async () => {
  const objects = await sealedObjects();
  const seen: number[] = [];
  const report = await verifyCache(memoryStore(objects), { onUnit: (done) => seen.push(done) });
  assert.deepEqual(report.problems, []);
  assert.ok(report.sealed);
  assert.equal(report.files, objects.size);
  assert.equal(
    report.bytes,
    [...objects.values()].reduce((n, bytes) => n + bytes.byteLength, 0),
  );
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
});

test('a cache that is not sealed is a problem of SEAL alone', async () => {
  const store = memoryStore();
  const writer = await openCacheForWriting(optionsFor(store));
  for (const unit of planOf(EXTENT).units.slice(1, 3)) await writer.writeUnit(unit, targetsOf(unit));
  const report = await verifyCache(store);
  assert.equal(report.sealed, false);
  assert.deepEqual(
    report.problems.map(({ file, code }) => [file, code]),
    [['SEAL', 'E_CACHE_INCOMPLETE']],
  );
});

test('damage is located: file, record, view', async () => {
  const objects = await sealedObjects();
  const name = 'parts/v001/feature.4/fp32/000004.shard';
  const shard = bytesAt(objects, name);
  shard[shard.byteLength - 6] = (shard[shard.byteLength - 6] ?? 0) ^ 4;
  const { problems } = await verifyCache(memoryStore(objects));
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.file, name);
  assert.match(problems[0].what, /record 3 \(sample 7, view 1\)/);
});

test('padding outside of records is covered too', async () => {
  const objects = await sealedObjects();
  const name = 'parts/v000/heads/fp16/000000.shard';
  const shard = bytesAt(objects, name);
  const at = shard.indexOf(0xc0, 80);
  shard[at] = 0xc3;
  const { problems } = await verifyCache(memoryStore(objects));
  assert.equal(problems.length, 1);
});

test('missing, swapped, doubled and strange files are found', async () => {
  const pristine = await sealedObjects();
  const cases: [string, (objects: Map<string, Uint8Array>) => void, string][] = [
    ...[...pristine.keys()].map((name): (typeof cases)[number] => [
      `without ${name}`,
      (objects) => objects.delete(name),
      name,
    ]),
    [
      'shards swapped',
      (objects) => {
        const [a, b] = ['parts/v000/pixels/raw/000000.shard', 'parts/v000/pixels/raw/000001.shard'];
        const [first, second] = [bytesAt(objects, a), bytesAt(objects, b)];
        objects.set(a, second).set(b, first);
      },
      'parts/v000/pixels/raw/000000.shard',
    ],
    [
      'unit records swapped',
      (objects) => {
        const [first, second] = [
          bytesAt(objects, 'units/000000.json'),
          bytesAt(objects, 'units/000001.json'),
        ];
        objects.set('units/000000.json', second).set('units/000001.json', first);
      },
      'units/000000.json',
    ],
    [
      'a unit record doubled',
      (objects) => objects.set('units/000006.json', bytesAt(objects, 'units/000005.json')),
      'units/000006.json',
    ],
    ['a strange file', (objects) => objects.set('.DS_Store', new Uint8Array(1)), '.DS_Store'],
    [
      'a strange shard',
      (objects) => objects.set('parts/v002/heads/fp16/000006.shard', new Uint8Array(1)),
      'parts/v002/heads/fp16/000006.shard',
    ],
  ];
  for (const [what, damage, file] of cases) {
    const objects = new Map(pristine);
    damage(objects);
    const { problems } = await verifyCache(memoryStore(objects));
    assert.ok(
      problems.some((problem) => problem.file === file),
      `${what}: ${JSON.stringify(problems)}`,
    );
  }
});

test('the seal of another cache is found', async () => {
  const objects = await sealedObjects();
  const other = new Map<string, Uint8Array>();
  await writeSynthetic(memoryStore(other), { ...EXTENT, views: 1 });
  for (const name of ['SEAL', 'index.json', 'cache.json']) {
    const mixed = new Map(objects).set(name, bytesAt(other, name));
    assert.ok((await verifyCache(memoryStore(mixed))).problems.length > 0, name);
  }
});

/** Reads everything that a cache offers; every failure must be one of the cache's own. */
async function useEverything(objects: Map<string, Uint8Array>): Promise<void> {
  const store = memoryStore(objects);
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      assert.ok(isSoftshardError(error) && error.code.startsWith('E_CACHE_'), String(error));
    }
  };
  await attempt(async () => inspectCache(store));
  await attempt(async () => {
    const cache = await openCache(store, { allowUnsealed: true });
    for (const sample of [0, 5, 9]) await attempt(async () => cache.read(sample, 1));
  });
}

test(`random mutations (${LONG ? '12,000' : '240'}) are all found and crash nothing`, async () => {
  const pristine = await sealedObjects();
  const names = [...pristine.keys()].sort();
  const runs = LONG ? 12_000 : 240;
  const done = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const objects = new Map(pristine);
    const mutation = mutate(objects, names, drawKey(1, 'test-mutation', run));
    if (mutation === undefined) continue;
    const { kind, file, at } = mutation;
    done.set(kind, (done.get(kind) ?? 0) + 1);
    const { problems } = await verifyCache(memoryStore(objects));
    assert.ok(problems.length > 0, `${kind} of ${file} at ${at} passed unnoticed`);
    await useEverything(objects);
  }
  for (const kind of MUTATIONS) assert.ok((done.get(kind) ?? 0) > 0, kind);
  const total = [...done.values()].reduce((a, b) => a + b, 0);
  if (LONG) assert.ok(total >= 10_000, String(total));
});

test('a manifest that claims a huge extent costs no time', async () => {
  const content = encodeManifest({
    identity: IDENTITY,
    provenance: PROVENANCE,
    extent: { ...EXTENT, samples: 0xffffffff, views: 100_000, unitViews: 1 },
  });
  const objects = await sealedObjects();
  objects.set('cache.json', content);
  assert.ok((await verifyCache(memoryStore(objects))).problems.length > 0);
  await useEverything(objects);
  objects.delete('SEAL');
  assert.ok((await verifyCache(memoryStore(objects))).problems.length > 0);
  await useEverything(objects);
});
