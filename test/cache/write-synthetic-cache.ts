/** A writer process for tests: writes a synthetic cache in argv[2], prints a line a unit, seals. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import type { Extent } from '../../src/cache/extent.ts';
import { EXTENT, optionsFor, planOf, syntheticTarget } from './synthetic.ts';
import type { Unit } from '../../src/data/plan.ts';

const folder = process.argv[2] ?? '';
const pauseMs = Number(process.argv[3] ?? 0);
const extent: Extent = { ...EXTENT, samples: 30, unitViews: 3, views: 2 };

async function* targets(unit: Unit) {
  for (const { sample, view } of unit.views) {
    await sleep(pauseMs);
    yield syntheticTarget(sample, view, 20);
  }
}

const writer = await openCacheForWriting({
  ...optionsFor(folderStore(folder), extent),
  localDir: `${folder}.local`,
});
console.log(`open ${writer.committed.size}`);
for (const unit of planOf(extent).units) {
  if (writer.committed.has(unit.index)) continue;
  await writer.writeUnit(unit, targets(unit));
  console.log(`unit ${unit.index}`);
}
await writer.seal();
await writer.close();
console.log('sealed');
