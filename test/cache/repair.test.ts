import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { findDamage } from '../../src/cache/damage.ts';
import { encodeManifest } from '../../src/cache/manifest.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { mendManifest } from '../../src/cache/mend-manifest.ts';
import { repairCache, type Recompute, type RepairReport } from '../../src/cache/repair.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { drawKey, integerBelow } from '../../src/random/keyed.ts';
import { mutate } from '../cache-mutation.ts';
import {
  EXTENT,
  IDENTITY,
  optionsFor,
  planOf,
  PROVENANCE,
  syntheticTarget,
  targetsOf,
  writeSynthetic,
} from './synthetic.ts';

const LONG = process.env['SOFTSHARD_TEST_LONG'] !== undefined;

async function sealedObjects(extent = EXTENT): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  await writeSynthetic(memoryStore(objects), extent);
  return objects;
}

async function growingObjects(units: readonly number[]): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  const writer = await openCacheForWriting(optionsFor(memoryStore(objects)));
  for (const unit of planOf(EXTENT).units.filter(({ index }) => units.includes(index)))
    await writer.writeUnit(unit, targetsOf(unit));
  await writer.close();
  return objects;
}

const bytesAt = (objects: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array => {
  const bytes = objects.get(name);
  assert.ok(bytes !== undefined, name);
  return bytes;
};

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 16 : byte));

const recomputing = (asked: string[] = []): Recompute =>
  async function* (unit, positions) {
    asked.push(`${unit.index}: ${positions.join(',')}`);
    for (const position of positions) {
      const key = unit.views[position];
      assert.ok(key !== undefined);
      yield await Promise.resolve(syntheticTarget(key.sample, key.view));
    }
  };

/** Repairs in memory; strangers are removed. */
async function repair(objects: Map<string, Uint8Array>, recompute?: Recompute): Promise<RepairReport> {
  const store = memoryStore(objects);
  const damage = await findDamage(store);
  return repairCache({ store, damage, recompute, setAside: (name) => store.delete(name) });
}

describe('repair', () => {
  test('of a whole cache does nothing', async () => {
    const objects = await sealedObjects();
    const before = new Map(objects);
    assert.deepEqual(await repair(objects), { repaired: [], recomputed: 0, sealed: true });
    for (const [name, bytes] of before) assert.equal(objects.get(name), bytes, name);
  });

  test('recomputes only the damaged view, and keeps every other file as it is', async () => {
    const pristine = await sealedObjects();
    const name = 'parts/v001/feature.4/fp32/000004.shard';
    const objects = new Map(pristine);
    const shard = bytesAt(objects, name);
    objects.set(name, flipped(shard, shard.byteLength - 6));
    const asked: string[] = [];
    const report = await repair(objects, recomputing(asked));
    assert.deepEqual(report, { repaired: [name], recomputed: 1, sealed: true });
    assert.deepEqual(asked, ['4: 3']);
    assert.deepEqual(objects, pristine);
    for (const [other, bytes] of pristine) if (other !== name) assert.equal(objects.get(other), bytes);
  });

  test('needs no teacher for headers, padding, records of units, index and SEAL', async () => {
    const pristine = await sealedObjects();
    const name = 'parts/v000/heads/fp16/000000.shard';
    const shard = bytesAt(pristine, name);
    const cases: [string, (objects: Map<string, Uint8Array>) => void][] = [
      ['header', (objects) => objects.set(name, flipped(shard, 3))],
      ['padding', (objects) => objects.set(name, flipped(shard, shard.indexOf(0xc0, 80)))],
      ['bytes behind the end', (objects) => objects.set(name, Buffer.concat([shard, Buffer.alloc(9)]))],
      ['index lost', (objects) => objects.delete('index.json')],
      ['SEAL lost', (objects) => objects.delete('SEAL')],
      [
        'both damaged',
        (objects) => objects.set('SEAL', flipped(bytesAt(objects, 'SEAL'), 90)).delete('index.json'),
      ],
      ['unit record lost', (objects) => objects.delete('units/000003.json')],
      [
        'unit record cut',
        (objects) => objects.set('units/000002.json', bytesAt(objects, 'units/000002.json').slice(0, 99)),
      ],
      [
        'a record too many',
        (objects) => objects.set('units/000006.json', bytesAt(objects, 'units/000005.json')),
      ],
    ];
    for (const [what, damage] of cases) {
      const objects = new Map(pristine);
      damage(objects);
      const report = await repair(objects);
      assert.equal(report.recomputed, 0, what);
      assert.deepEqual(objects, pristine, what);
    }
  });

  test('of a cache that grows leaves what is not committed, and proves a record by its own digest', async () => {
    const pristine = await growingObjects([0, 2, 3]);
    const objects = new Map(pristine);
    const record = bytesAt(objects, 'units/000002.json');
    objects.set('units/000002.json', flipped(record, record.byteLength - 40));
    const shard = 'parts/v001/pixels/raw/000003.shard';
    objects.set(shard, bytesAt(objects, shard).slice(0, 300));
    const report = await repair(objects, recomputing());
    assert.deepEqual(report.repaired, ['units/000002.json', shard]);
    assert.equal(report.sealed, false);
    assert.deepEqual(objects, pristine);
  });

  test('without the teacher says how many views are lost and what to run', async () => {
    const objects = await sealedObjects();
    objects.delete('parts/v000/pixels/raw/000001.shard');
    await assert.rejects(
      repair(objects),
      (error) =>
        isSoftshardError(error, 'E_USAGE') &&
        /4 views/.test(error.message) &&
        error.message.includes('softshard repair CACHE --weights'),
    );
  });

  test('refuses another teacher: the view is named, and the damaged file stays', async () => {
    const objects = await sealedObjects();
    const name = 'parts/v000/heads/fp16/000001.shard';
    const damaged = flipped(bytesAt(objects, name), bytesAt(objects, name).byteLength - 6);
    objects.set(name, damaged);
    const other: Recompute = async function* (unit, positions) {
      for (const position of positions) {
        const { sample, view } = unit.views[position] ?? { sample: 0, view: 0 };
        yield await Promise.resolve(syntheticTarget(sample, view, 1, 1));
      }
    };
    await assert.rejects(
      repair(objects, other),
      (error) => isSoftshardError(error, 'E_REPLAY_MISMATCH') && error.message.includes('sample 7, view 0'),
    );
    assert.equal(objects.get(name), damaged);
  });

  test('finds a damaged byte of the manifest, wherever it is', () => {
    const content = encodeManifest({ identity: IDENTITY, provenance: PROVENANCE, extent: EXTENT });
    for (const at of [0, 13, 14, 50, 77, 78, 200, content.byteLength - 1]) {
      const mended = mendManifest(flipped(content, at), undefined);
      assert.deepEqual(mended && Buffer.from(mended), Buffer.from(content), `byte ${at}`);
    }
    assert.equal(mendManifest(flipped(flipped(content, 90), 200), undefined), undefined);
    assert.equal(mendManifest(content.slice(0, 20), undefined), undefined);
  });

  const runs = LONG ? 3000 : 120;
  test(`${runs} random damages, of one file and of several, are repaired to the byte`, async () => {
    const whole = await sealedObjects();
    const growing = await growingObjects([0, 1, 4]);
    for (let run = 0; run < runs; run++) {
      const key = drawKey(3, 'test-repair', run);
      const pristine = run % 3 === 2 ? growing : whole;
      const objects = new Map(pristine);
      const names = [...pristine.keys()].filter((name) => name !== 'cache.json').sort();
      for (let i = 0; i < 1 + (run % 4); i++) mutate(objects, names, key, 8 * i);
      // Of a cache that grows, a unit without its record is one that is yet to be made.
      for (const name of names)
        if (pristine === growing && name.startsWith('units/') && !objects.has(name))
          objects.set(name, Buffer.from('{'));
      if (integerBelow(key, 99, 5) === 0) objects.set('parts/strange.txt', Buffer.from('strange'));
      await repair(objects, recomputing());
      assert.deepEqual(objects, pristine, `run ${run}`);
      if (pristine === whole)
        assert.deepEqual((await verifyCache(memoryStore(objects))).problems, [], `run ${run}`);
    }
  });
});
