/** The teach step as a user runs it: content, reuse, replay, refusal. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { floatBlob } from '../../src/cache/target.ts';
import { describeTeacherCache } from '../../src/teach/teacher-cache.ts';
import { decodeView } from '../../src/augment/view-codec.ts';
import { createViewDecoder } from '../../src/augment/view-decoder.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { openEngine } from '../../src/engine/select.ts';
import { loadInference } from '../../src/evaluate/load-model.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, TINY_SIDE, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe(`teach on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const teach = (cache: string, ...more: string[]): Promise<Ended> =>
    runCommand([
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--engine', ENGINE],
      ...[
        '--codec',
        'fp32',
        '--unit-views',
        '4',
        '--teach-batch',
        '2',
        '--cache',
        join(folder, cache),
        ...more,
      ],
    ]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-teach-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 2, val: 1 });
    weights = await makeTinyTeacher(folder);
    const made = await teach('cache', '--hints', '3');
    assert.equal(made.code, 0, made.output);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('the cache holds what the teacher says about the pixels of each view', async () => {
    const cache = await openCache(folderStore(join(folder, 'cache')));
    const description = describeTeacherCache(cache.manifest);
    assert.equal(description.samples, 7);
    assert.deepEqual(description.head.names, ['red', 'green']);
    const { engine } = await openEngine(ENGINE);
    const { model } = await loadInference({ weights, engine });
    const dataset = await readDataset({ data: tiny.data, badImages: 'error' });
    const decoder = createViewDecoder({
      dataset,
      workers: 0,
      slots: 2,
      viewBytes: TINY_SIDE * TINY_SIDE * 3,
    });
    const targets = await cache.readMany([4, 5].map((sample) => ({ sample, view: 0 })));
    const views = await Promise.all(targets.map((target) => decoder.decode(decodeView(target.record))));
    // The unit's second batch is sample 6 alone; samples 4 and 5 are the first batch of unit 1.
    const pixels = Float32Array.from(views.flatMap((view) => [...view.pixels].map((v) => v / 255)));
    const x = tf.tensor4d(pixels, [2, TINY_SIDE, TINY_SIDE, 3]);
    const { heads, features } = model.forward(x, [3]);
    for (const [i, target] of targets.entries()) {
      assert.equal(target.inputDigest, views[i]?.pixelDigest);
      const named = [
        ...heads.map((head, level) => [`head.${level}`, head] as const),
        ['feature.3', features.get(3) as tf.Tensor] as const,
      ];
      for (const [name, tensor] of named) {
        const blob = floatBlob(target, name);
        const size = blob.data.length;
        const expected = tensor.dataSync<'float32'>().slice(i * size, (i + 1) * size);
        assert.deepEqual(blob.shape, tensor.shape.slice(1));
        const worst = expected.reduce((m, v, k) => Math.max(m, Math.abs(v - (blob.data[k] ?? NaN))), 0);
        // Another process with other threads may sum in another order.
        assert.ok(worst < 1e-4, `${name} of sample ${target.sample}: ${worst}`);
      }
    }
    tf.dispose([x, ...heads, ...features.values()]);
    model.dispose();
    await decoder.close();
  });

  test('the same command finds the finished cache; units replay as equal', async () => {
    const again = await teach('cache', '--hints', '3');
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /found the finished cache/);
    const replay = await teach('cache', '--hints', '3', '--units', '0-1');
    assert.equal(replay.code, 0, replay.output);
    assert.match(replay.output, /2 recomputed and equal/);
  });

  test('another teacher, augmentation, seed or extent is refused by name, and nothing is touched', async () => {
    const seal = await readFile(join(folder, 'cache', 'SEAL'), 'utf8');
    const other = await makeTinyTeacher(folder, 6);
    const cases: [string, string[]][] = [
      ['teacher.digest', ['--hints', '3', '--weights', other]],
      ['augmentation.fliplr', ['--hints', '3', '--set', 'hyp.fliplr=0.5']],
      ['seed', ['--hints', '3', '--seed', '9']],
      ['answers.hints', []],
    ];
    for (const [field, more] of cases) {
      const refused = await teach('cache', ...more);
      assert.equal(refused.code, 1, refused.output);
      assert.match(refused.output, /E_CACHE_IDENTITY|answers another question/);
      assert.ok(refused.output.includes(field), `${field} in: ${refused.output}`);
    }
    assert.equal(await readFile(join(folder, 'cache', 'SEAL'), 'utf8'), seal);
  });

  test('pixel shards of decode give the same cache as decoding', async () => {
    const pixels = join(folder, 'pixels');
    const decoded = await runCommand([
      ...['decode', '--data', tiny.data, '--imgsz', '64', '--unit-views', '4', '--out', pixels],
    ]);
    assert.equal(decoded.code, 0, decoded.output);
    const made = await teach('from-pixels', '--hints', '3', '--from', pixels);
    assert.equal(made.code, 0, made.output);
    const seal = (name: string): Promise<string> => readFile(join(folder, name, 'SEAL'), 'utf8');
    assert.equal(await seal('from-pixels'), await seal('cache'));
  });

  test('a broken image is named, and the units before it stay', async () => {
    const broken = await makeTinyData(join(folder, 'broken'), { train: 6, unlabelled: 0, val: 0 });
    const file = join(folder, 'broken', 'images', 'train', '004.png');
    await writeFile(file, (await readFile(file)).subarray(0, 200));
    const failed = await runCommand([
      ...['teach', '--weights', weights, '--data', broken.data, '--imgsz', '64', '--engine', ENGINE],
      ...['--cache', join(folder, 'broken-cache')],
    ]);
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, /004\.png/);
  });

  test('credits that do not hold one batch are an error, not a deadlock', async () => {
    const failed = await runCommand([
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '1024', '--engine', ENGINE],
      ...['--teach-batch', '64', '--credits', '1', '--cache', join(folder, 'poor')],
    ]);
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, /credits do not hold one batch/);
  });
});
