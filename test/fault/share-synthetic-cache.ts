/** A process for tests: `produce` shares the units of a synthetic cache, `read` follows it and checks every view. */
import assert from 'node:assert/strict';
import { folderStore } from '../../src/cache/folder-store.ts';
import { clearWanted, followCache, wantedUnits } from '../../src/cache/follow-cache.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { unitLeases } from '../../src/cache/lease.ts';
import { mayLive, newEntry } from '../../src/cache/lock-entry.ts';
import { shareUnits } from '../../src/cache/share-units.ts';
import { floatBlob } from '../../src/cache/target.ts';
import type { Extent } from '../../src/cache/extent.ts';
import type { Unit } from '../../src/data/plan.ts';
import { monotonicClock } from '../../src/flow/monotonic-clock.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { permutation } from '../../src/random/permutation.ts';
import { EXTENT, optionsFor, planOf, syntheticTarget } from '../cache/synthetic.ts';

const [role = '', folder = '', seed = '0', pause = '1'] = process.argv.slice(2);
const extent: Extent = { ...EXTENT, samples: 60, unitViews: 3, views: 3 };
const store = folderStore(folder);
const beside = folderStore(`${folder}.local`);
const SCALE = 20;

async function* targets(unit: Unit) {
  for (const { sample, view } of unit.views) {
    await monotonicClock.sleep(Number(pause));
    yield syntheticTarget(sample, view, SCALE);
  }
}

async function produce(): Promise<void> {
  const writer = await openCacheForWriting({
    ...{ ...optionsFor(store, extent), localDir: `${folder}.local`, shared: true },
  });
  const owner = newEntry('shared');
  const leases = unitLeases({ store: beside, owner, clock: monotonicClock, expiryMs: 400, mayLive });
  const wanted = () => wantedUnits(beside);
  let made = 0;
  for await (const unit of shareUnits({ units: planOf(extent).units, writer, leases, wanted, pollMs: 20 })) {
    if (writer.committed.has(unit.index)) continue;
    await writer.writeUnit(unit, targets(unit));
    made++;
  }
  await writer.seal();
  await leases.clear();
  await clearWanted(beside);
  await writer.close();
  console.log(`made ${made}`);
}

async function read(): Promise<void> {
  const cache = await followCache(store, { clock: monotonicClock, beside, pollMs: 20 });
  const views = planOf(extent).units.flatMap((unit) => unit.views);
  for (const at of permutation(drawKey(Number(seed), 'test-read', 0), views.length)) {
    const { sample, view } = views[at] ?? { sample: 0, view: 0 };
    const target = await cache.read(sample, view);
    const expected = syntheticTarget(sample, view, SCALE);
    assert.equal(target.inputDigest, expected.inputDigest);
    assert.deepEqual(floatBlob(target, 'feature.4').data, floatBlob(expected, 'feature.4').data);
  }
  console.log(`read ${views.length}`);
}

await (role === 'produce' ? produce() : read());
