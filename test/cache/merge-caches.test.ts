import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import type { Extent } from '../../src/cache/extent.ts';
import type { Identity } from '../../src/cache/identity.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { mergeCaches, type MergeSource } from '../../src/cache/merge-caches.ts';
import { floatBlob, type Blob, type Target } from '../../src/cache/target.ts';
import { makePlan } from '../../src/data/plan.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { EXTENT, IDENTITY, optionsFor, syntheticTarget } from './synthetic.ts';

interface Made {
  readonly kinds?: readonly string[];
  readonly identity?: Partial<Identity>;
  readonly extent?: Partial<Extent>;
  readonly change?: (target: Target) => Target;
}

async function make(label: string, { kinds, identity, extent, change }: Made = {}): Promise<MergeSource> {
  const answers = EXTENT.answers.filter(({ kind }) => kinds?.includes(kind) ?? true);
  const whole: Extent = { ...EXTENT, ...extent, answers };
  const store = memoryStore();
  const writer = await openCacheForWriting({
    ...optionsFor(store, whole),
    identity: { ...IDENTITY, ...identity } as Identity,
  });
  const blobs = new Set(answers.flatMap((answer) => answer.blobs));
  for (const unit of makePlan(whole).units) {
    const targets = unit.views.map(({ sample, view }) => {
      const target = (change ?? ((t) => t))(syntheticTarget(sample, view));
      return { ...target, blobs: new Map([...target.blobs].filter(([name]) => blobs.has(name))) };
    });
    await writer.writeUnit(unit, targets);
  }
  await writer.seal();
  return { label, cache: await openCache(store) };
}

const code =
  (expected: ErrorCode, ...texts: RegExp[]) =>
  (error: unknown): boolean =>
    isSoftshardError(error, expected) && texts.every((text) => text.test(error.message));

const doubled = (target: Target): Target => ({
  ...target,
  blobs: new Map(
    [...target.blobs].map(([name, blob]): [string, Blob] =>
      blob.dtype === 'uint8'
        ? [name, blob]
        : [name, { shape: blob.shape, data: blob.data.map((x) => 2 * x) }],
    ),
  ),
});

test('heads from one teacher, features from another, in units of any size', async () => {
  const heads = await make('a', { kinds: ['heads'] });
  const both = await make('b', { change: doubled, identity: { teacher: 'other' }, extent: { unitViews: 3 } });
  const merged = mergeCaches([heads, both], 'first');
  assert.deepEqual(merged.kinds, ['heads', 'feature.4', 'pixels']);
  const [target] = await merged.readMany([{ sample: 7, view: 1 }]);
  assert.ok(target !== undefined);
  const [first, second] = [await heads.cache.read(7, 1), await both.cache.read(7, 1)];
  assert.deepEqual(target.blobs.get('head.0'), first.blobs.get('head.0'));
  assert.deepEqual(target.blobs.get('feature.4'), second.blobs.get('feature.4'));
  assert.deepEqual(
    merged.sourcesOf('heads').map(({ label }) => label),
    ['a'],
  );
  // What is taken from a cache can be named.
  const named = mergeCaches([{ ...both, kinds: ['heads'] }, await make('c')], 'first');
  const other = await named.read(7, 1);
  assert.deepEqual(other.blobs.get('head.0'), second.blobs.get('head.0'));
  assert.deepEqual(floatBlob(other, 'feature.4').data, floatBlob(syntheticTarget(7, 1), 'feature.4').data);
});

test('the mean of two teachers', async () => {
  const kinds = ['heads'];
  const sources = [await make('a', { kinds }), await make('b', { kinds, change: doubled })];
  const merged = mergeCaches(sources, 'mean');
  const target = await merged.read(3, 0, ['heads']);
  const [a, b] = await Promise.all(sources.map(async ({ cache }) => cache.read(3, 0)));
  assert.ok(a !== undefined && b !== undefined);
  const values = floatBlob(a, 'head.1').data.map((x, i) => x / 2 + (floatBlob(b, 'head.1').data[i] ?? 0) / 2);
  assert.deepEqual(floatBlob(target, 'head.1').data, values);
  const other = await make('c', {
    kinds,
    change: (t) => ({
      ...t,
      blobs: new Map([...t.blobs, ['head.1', { shape: [3], data: new Float32Array(3) }]]),
    }),
  });
  const bad = mergeCaches([...sources, other], 'mean');
  await assert.rejects(bad.read(3, 0), code('E_CACHE_IDENTITY', /other shapes/, /head\.1/));
});

test('more views from a second cache; kinds end where nobody holds them', async () => {
  const base = await make('base', { kinds: ['heads', 'feature.4'] });
  const more = await make('more', { kinds: ['heads'], extent: { firstView: 2, views: 3 } });
  const merged = mergeCaches([base, more], 'first');
  assert.equal(merged.viewsOf(['heads']), 5);
  assert.equal(merged.viewsOf(['heads', 'feature.4']), 2);
  assert.equal(merged.viewsOf(['nothing']), 0);
  assert.equal(merged.manifest.extent.views, 2);
  assert.equal((await merged.read(9, 4, ['heads'])).inputDigest, syntheticTarget(9, 4).inputDigest);
  await assert.rejects(merged.read(9, 4), code('E_CACHE_INCOMPLETE', /feature\.4/, /2 views/));
  await assert.rejects(more.cache.read(9, 1), code('E_CACHE_INCOMPLETE', /view 1/));
});

test('caches of other views are refused, naming field, caches and both values', async () => {
  const base = await make('base');
  for (const [identity, field] of [
    [{ seed: 8 }, /seed of other[^]*7 \(base\)[^]*8/],
    [{ augmentation: { degrees: 1 } }, /augmentation/],
    [{ data: 'e'.repeat(64) }, /data/],
  ] as const) {
    const other = await make('other', { identity });
    assert.throws(() => mergeCaches([base, other], 'first'), code('E_CACHE_IDENTITY', field));
  }
  const pixels = await make('pixels', { change: (t) => ({ ...t, inputDigest: '0'.repeat(16) }) });
  const merged = mergeCaches([{ ...base, kinds: ['heads'] }, pixels], 'first');
  await assert.rejects(merged.read(2, 0), code('E_PIXELS', /sample 2, view 0/));
  assert.throws(
    () => mergeCaches([{ ...base, kinds: ['feature.9'] }], 'first'),
    code('E_CACHE_INCOMPLETE', /feature\.9/),
  );
});
