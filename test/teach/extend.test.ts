/** `extend`: more views, hints and codecs, beside bytes that stay. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCache } from '../../src/cache/cache-reader.ts';
import { openExtended, missingBlocks } from '../../src/cache/extensions.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { isSoftshardError } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { command as extendCommand, type ExtendResult } from '../../stages/extend.ts';
import { command as teachCommand } from '../../stages/teach.ts';
import { contentOf } from '../cache/synthetic.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const context: StepContext = {
  ...{ signal: new AbortController().signal, run: 'extend-1', step: 'extend' },
  emit: () => undefined,
  info: () => undefined,
  warn: () => undefined,
};

test('what is missing is found as runs of views that lack the same', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((kind) => ({ kind, blobs: [kind], codec: 'fp16' }));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const extents = [
    { samples: 1, unitViews: 1, views: 2, answers: [a] },
    { samples: 1, unitViews: 1, views: 1, firstView: 2, answers: [a, b] },
  ];
  assert.deepEqual(missingBlocks(extents, 3, [a]), []);
  assert.deepEqual(missingBlocks(extents, 5, [a, b]), [
    { firstView: 0, views: 2, answers: [b] },
    { firstView: 3, views: 2, answers: [a, b] },
  ]);
});

describe('an extended cache', () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const machine = { engine: 'wasm', workers: 0 } as const;
  const teach = (cache: string, given: object) =>
    teachCommand.run(
      teachCommand.options.parse({
        ...{ ...machine, weights, data: tiny.data, imgsz: 64, unitViews: 4, teachBatch: 2, seed: 3 },
        ...{ set: { hyp: { mosaic: 1, fliplr: 0.5 } }, cache: join(folder, cache), ...given },
      }),
      context,
    );
  const extend = (cache: string, given: object): Promise<ExtendResult> =>
    extendCommand.run(
      extendCommand.options.parse({
        ...{ ...machine, weights, data: tiny.data, cache: join(folder, cache), ...given },
      }),
      context,
    );
  const open = async (cache: string) => {
    const store = folderStore(join(folder, cache));
    return openExtended(await openCache(store), store, {});
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-extend-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 0, val: 0 });
    weights = await makeTinyTeacher(folder);
    await teach('base', { views: 2 });
    await teach('whole', { views: 3, hints: [2] });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('holds what one made at once holds, and no byte of what it extends has changed', async () => {
    const store = folderStore(join(folder, 'base'));
    const before = await contentOf(store);
    const made = await extend('base', { views: 3, hints: [2] });
    assert.deepEqual(
      made.extensions.map(({ firstView, views, answers, written }) => [
        firstView,
        views,
        answers.length,
        written,
      ]),
      [
        [0, 2, 1, 4],
        [2, 1, 2, 2],
      ],
    );
    const after = await contentOf(store);
    for (const [name, bytes] of before) assert.equal(after.get(name), bytes, name);
    assert.deepEqual((await verifyCache(store)).problems, []);

    const [extended, whole] = [await open('base'), await open('whole')];
    assert.equal(extended.viewsOf(['heads', 'feature.2']), 3);
    const keys = [0, 1, 2].flatMap((view) => [0, 3, 5].map((sample) => ({ sample, view })));
    assert.deepEqual(await extended.readMany(keys), await whole.readMany(keys));

    const again = await extend('base', { views: 3, hints: [2] });
    assert.deepEqual(
      again.extensions.map(({ written }) => written),
      [0, 0],
    );
    assert.deepEqual(await contentOf(store), after);
  });

  test('a further codec lies beside the first; damage of an extension is found', async () => {
    const made = await extend('base', { codec: 'fp32' });
    assert.deepEqual(made.extensions.at(-1)?.answers, ['heads in fp32']);
    const store = folderStore(join(folder, 'base'));
    assert.deepEqual((await verifyCache(store)).problems, []);
    await appendFile(
      join(folder, 'base', 'extensions', '003', 'parts', 'v001', 'heads', 'fp32', '000003.shard'),
      'x',
    );
    const [problem] = (await verifyCache(store)).problems;
    assert.equal(problem?.file, 'extensions/003/parts/v001/heads/fp32/000003.shard');
  });

  test('another teacher is refused, and so is a cache that is not finished', async () => {
    const other = await makeTinyTeacher(folder, 6);
    await assert.rejects(extend('whole', { weights: other, views: 4 }), (error) =>
      isSoftshardError(error, 'E_CACHE_IDENTITY'),
    );
    await teach('begun', { units: '0' });
    await assert.rejects(extend('begun', { views: 2 }), (error) =>
      isSoftshardError(error, 'E_CACHE_INCOMPLETE'),
    );
  });
});
