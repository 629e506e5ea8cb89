import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import type { Target } from '../../src/cache/target.ts';
import { makePlan } from '../../src/data/plan.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { pythonWith } from '../python.ts';
import { repositoryRoot } from '../reference.ts';
import { syntheticHead } from './synthetic-head.ts';

const found = pythonWith('msgpack-numpy', ['msgpack', 'numpy']);
const skip = 'skip' in found ? found.skip : false;
const python = 'python' in found ? found.python : '';
const reader = join(repositoryRoot, 'readers', 'python', 'softshard_reader.py');

const SHAPES = [
  [12, 9, 3, 20],
  [6, 5, 2, 1],
  [3, 4, 3, 0],
] as const;

const scaled = (seed: number, factor: number) => {
  const { shape, data } = syntheticHead([5, 5, 3, 37], 3, seed);
  return { shape, data: data.map((value) => value * factor) };
};

const target = (sample: number): Target => ({
  ...{ sample, view: 0, inputDigest: '0'.repeat(16), record: {} },
  blobs: new Map([
    ...SHAPES.map((shape, i) => [`head.${i}`, syntheticHead(shape, 3, sample)] as const),
    ['head.3', scaled(sample, 40)],
    ['head.4', scaled(sample, 0.01)],
    ['feature.2', syntheticHead([4, 5, 1, 3], 1, sample)],
  ]),
});

for (const spec of ['sparse', 'sparse:classes=0.4,k=30,objectness=0.05,overlaps=3,peaks=0.3']) {
  test(`Python decodes ${spec} and int8 to the same bits`, { skip }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'softshard-python-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const store = folderStore(folder);
    const extent = {
      ...{ samples: 3, unitViews: 2, views: 1 },
      answers: [
        { kind: 'heads', blobs: ['head.0', 'head.1', 'head.2', 'head.3', 'head.4'], codec: spec },
        { kind: 'feature.2', blobs: ['feature.2'], codec: 'int8' },
      ],
    };
    const content = { identity: {}, provenance: {}, extent };
    const writer = await openCacheForWriting({ store, localDir: undefined, codecs: HEAD_CODECS, ...content });
    for (const unit of makePlan(extent).units) {
      await writer.writeUnit(
        unit,
        unit.views.map(({ sample }) => target(sample)),
      );
    }
    await writer.seal();
    await writer.close();
    const output = execFileSync(python, [reader, folder, '--json', '--verify'], { encoding: 'utf8' });
    const { views } = JSON.parse(output) as {
      views: { sample: number; blobs: Record<string, { sha256: string; shape: number[] }> }[];
    };
    assert.equal(views.length, 3);
    const cache = await openCache(store, { codecs: HEAD_CODECS });
    for (const view of views) {
      const { blobs } = await cache.read(view.sample, 0);
      for (const [name, { data, shape }] of blobs) {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        assert.deepEqual([view.blobs[name]?.shape, view.blobs[name]?.sha256], [[...shape], sha256], name);
      }
    }
  });
}
