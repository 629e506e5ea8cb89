/** Deterministic caches for tests: answers that are a function of (sample, view), in parts of several codecs. */
import type { Extent } from '../../src/cache/extent.ts';
import type { Identity, Provenance } from '../../src/cache/identity.ts';
import { openCacheForWriting, type WriteOptions } from '../../src/cache/cache-writer.ts';
import type { Store } from '../../src/cache/store.ts';
import type { Blob, Target } from '../../src/cache/target.ts';
import { makePlan, type Plan, type Unit } from '../../src/data/plan.ts';

export const IDENTITY: Identity = {
  data: 'd'.repeat(64),
  seed: 7,
  augmentation: { degrees: 0.5, flips: [0, 0.25] },
  teacher: { digest: 't'.repeat(64), layers: 24 },
};

export const PROVENANCE: Provenance = { engine: 'synthetic', threads: 1 };

export const EXTENT: Extent = {
  samples: 10,
  unitViews: 4,
  views: 2,
  answers: [
    { kind: 'heads', blobs: ['head.0', 'head.1'], codec: 'fp16' },
    { kind: 'feature.4', blobs: ['feature.4'], codec: 'fp32' },
    { kind: 'pixels', blobs: ['pixels'], codec: 'raw' },
  ],
};

const floats = (shape: readonly number[], at: (i: number) => number): Blob => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
});

/** The answer to one view; `scale` makes it larger, `spoil` changes one value. */
export function syntheticTarget(sample: number, view: number, scale = 1, spoil = 0): Target {
  const base = sample * 16 + view;
  return {
    sample,
    view,
    inputDigest: (base * 2654435761).toString(16).padStart(16, '0').slice(0, 16),
    record: { sample, view, matrix: [1 / (base + 3), 0.1, 1e-9], flip: base % 2 === 0, name: `s${sample}` },
    blobs: new Map<string, Blob>([
      ['head.0', floats([scale, 3, 5], (i) => (i - 7) / (base + 1))],
      ['head.1', floats([2], (i) => base + i + spoil)],
      ['feature.4', floats([3, scale], (i) => Math.fround(base / (i + 1)))],
      [
        'pixels',
        {
          dtype: 'uint8',
          shape: [scale, 2, 3],
          data: Uint8Array.from({ length: scale * 6 }, (_, i) => (base * 31 + i) % 256),
        },
      ],
    ]),
  };
}

export const planOf = (extent: Extent): Plan =>
  makePlan({ samples: extent.samples, views: extent.views, unitViews: extent.unitViews });

export const targetsOf = (unit: Unit, scale = 1): Target[] =>
  unit.views.map(({ sample, view }) => syntheticTarget(sample, view, scale));

export const optionsFor = (store: Store, extent: Extent = EXTENT): WriteOptions => ({
  store,
  identity: IDENTITY,
  provenance: PROVENANCE,
  extent,
  localDir: undefined,
});

/** Writes a whole cache, its units in the given order, and seals it. */
export async function writeSynthetic(
  store: Store,
  extent: Extent = EXTENT,
  order: (units: readonly Unit[]) => readonly Unit[] = (units) => units,
): Promise<void> {
  const writer = await openCacheForWriting(optionsFor(store, extent));
  for (const unit of order(planOf(extent).units)) await writer.writeUnit(unit, targetsOf(unit));
  await writer.seal();
  await writer.close();
}

/** Every object of a store by name, for comparing whole caches. */
export async function contentOf(store: Store): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const name of await store.list('')) {
    content.set(name, Buffer.from((await store.get(name)) ?? []).toString('hex'));
  }
  return content;
}
