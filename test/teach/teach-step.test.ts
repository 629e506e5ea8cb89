/** The step `teach` in this process: what it caches, what it finds, replays and refuses. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { decodeView } from '../../src/augment/view-codec.ts';
import { createViewDecoder } from '../../src/augment/view-decoder.ts';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { floatBlob } from '../../src/cache/target.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { loadInference } from '../../src/evaluate/load-model.ts';
import type { SoftshardEvent } from '../../src/flow/events.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { describeTeacherCache } from '../../src/teach/teacher-cache.ts';
import { writePixels } from '../../src/data/unit-pixels.ts';
import { command as decodeCommand } from '../../stages/decode.ts';
import { command } from '../../stages/teach.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

const contextFor = (events: object[] = []): StepContext => ({
  signal: new AbortController().signal,
  run: 'teach-1',
  step: 'teach',
  emit: (event) => events.push(event),
  info: () => undefined,
  warn: () => undefined,
});

const fails =
  (code: ErrorCode, ...texts: string[]) =>
  (error: unknown): boolean =>
    isSoftshardError(error, code) && texts.every((text) => error.message.includes(text));

async function bytesBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = files
    .sort()
    .map(async (file) => [file.slice(folder.length), await readFile(file, 'base64')] as const);
  return Object.fromEntries(await Promise.all(contents));
}

describe(`the step teach on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const at = (name: string): string => join(folder, name);
  const teach = (cache: string, more: Record<string, unknown> = {}, events: object[] = []) =>
    command.run(
      command.options.parse({
        weights,
        data: tiny.data,
        imgsz: 64,
        cache: at(cache),
        codec: 'fp32',
        views: 2,
        unitViews: 4,
        teachBatch: 4,
        hints: [2],
        set: { hyp: { mosaic: 1, fliplr: 0.5 } },
        workers: 0,
        engine: ENGINE,
        ...more,
      }),
      contextFor(events),
    );

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-teach-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 3, val: 2 });
    weights = await makeTinyTeacher(folder);
    await teach('whole');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('what is cached is what a forward pass of the same batch gives', async () => {
    const cache = await openCache(folderStore(at('whole')));
    const teacher = describeTeacherCache(cache.manifest);
    assert.equal(teacher.samples, 9);
    assert.equal(teacher.imageSize, 64);
    assert.deepEqual(teacher.hints, [2]);
    assert.equal((await verifyCache(folderStore(at('whole')))).problems.length, 0);
    const dataset = await readDataset({ data: tiny.data, badImages: 'error' });
    const decoder = createViewDecoder({ dataset, workers: 0, slots: 1, viewBytes: 64 * 64 * 3 });
    const { engine } = await openEngine(ENGINE);
    const { model } = await loadInference({ weights, engine });
    // The last unit of view 1 holds one view: a batch of four times the same one.
    for (const keys of [
      [0, 1, 2, 3].map((sample) => ({ sample, view: 0 })),
      [8, 8, 8, 8].map((sample) => ({ sample, view: 1 })),
    ]) {
      const pixels = new Float32Array(4 * 64 * 64 * 3);
      for (const [i, { sample, view }] of keys.entries()) {
        const target = await cache.read(sample, view);
        const decoded = await decoder.decode(decodeView(target.record));
        assert.equal(decoded.pixelDigest, target.inputDigest);
        writePixels(decoded.pixels, pixels, i);
        decoded.release();
      }
      const { heads, features } = model.forward(tf.tensor4d(pixels, [4, 64, 64, 3]), [2]);
      const named = [
        ...heads.map((head, i) => [`head.${i}`, head] as const),
        ['feature.2', features.get(2)] as const,
      ];
      for (const [name, tensor] of named) {
        assert.ok(tensor !== undefined);
        const values = await tensor.data<'float32'>();
        for (const [i, { sample, view }] of keys.entries()) {
          const blob = floatBlob(await cache.read(sample, view), name);
          assert.deepEqual(blob.shape, tensor.shape.slice(1));
          const size = blob.data.length;
          assert.deepEqual(blob.data, values.slice(i * size, (i + 1) * size), `${name} of sample ${sample}`);
        }
      }
      tf.dispose([...heads, ...features.values()]);
    }
    model.dispose();
    await decoder.close();
  });

  test('the same command finds the finished cache', async () => {
    const result = await teach('whole');
    assert.deepEqual([result.written, result.found, result.sealed], [0, 6, true]);
  });

  test('another teacher, augmentation, data or seed is named with both values', async () => {
    await assert.rejects(teach('whole', { seed: 1 }), fails('E_CACHE_IDENTITY', 'seed', '1', '0'));
    await assert.rejects(
      teach('whole', { set: { hyp: { mosaic: 1, fliplr: 0.25 } } }),
      fails('E_CACHE_IDENTITY', 'augmentation.fliplr', '0.25', '0.5'),
    );
    await assert.rejects(teach('whole', { split: 'val' }), fails('E_CACHE_IDENTITY', 'data'));
    await assert.rejects(teach('whole', { imgsz: 96 }), fails('E_CACHE_IDENTITY', 'preprocessing.imgsz'));
    await assert.rejects(teach('whole', { hints: [3] }), fails('E_CACHE_IDENTITY', 'answers.hints'));
    await assert.rejects(teach('whole', { codec: 'fp16' }), fails('E_CACHE_IDENTITY', 'extent.answers'));
    const bytes = await readFile(weights);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 400) ^ 1, bytes.length - 400);
    const other = at('other.safetensors');
    await writeFile(other, bytes);
    await assert.rejects(teach('whole', { weights: other }), fails('E_CACHE_IDENTITY', 'teacher.digest'));
  });

  test('units of a growing cache are written alone; the rest seals it with equal bytes', async () => {
    const first = await teach('parts', { units: '3-4' });
    assert.deepEqual([first.written, first.sealed], [2, false]);
    const events: object[] = [];
    const rest = await teach('parts', {}, events);
    assert.deepEqual([rest.written, rest.found, rest.sealed], [4, 2, true]);
    const states = events.flatMap((event) => ('state' in event ? [event.state] : []));
    assert.deepEqual(states, ['written', 'written', 'written', 'found', 'found', 'written']);
    assert.deepEqual(await bytesBelow(at('parts')), await bytesBelow(at('whole')));
  });

  test('a replay compares and overwrites nothing', async () => {
    const stored = await bytesBelow(at('whole'));
    const equal = await teach('whole', { units: '0-1' });
    assert.deepEqual([equal.equal, equal.written], [2, 0]);
    // A committed unit that is damaged is told, and stays as it is.
    await cp(at('whole'), at('changed'), { recursive: true });
    const unit = (await readdir(join(at('changed'), 'units'))).sort()[1];
    assert.ok(unit !== undefined);
    const record = await readFile(join(at('changed'), 'units', unit), 'utf8');
    const shard = /"name":\s*"([^"]*heads[^"]*)"/.exec(record)?.[1];
    assert.ok(shard !== undefined, record);
    const file = join(at('changed'), shard);
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 100) ^ 1, bytes.length - 100);
    await writeFile(file, bytes);
    await assert.rejects(teach('changed', { units: '1' }), fails('E_CACHE_CORRUPT', 'crc32'));
    assert.deepEqual(await readFile(file), bytes);
    assert.deepEqual(await bytesBelow(at('whole')), stored);
    await assert.rejects(teach('whole', { units: '5-6' }), fails('E_USAGE', '--units', '5-6'));
  });

  test('pixel shards in the place of decoding give the same bytes', async () => {
    const options = { data: tiny.data, imgsz: 64, views: 2, unitViews: 4, workers: 0 };
    const set = { hyp: { mosaic: 1, fliplr: 0.5 } };
    const pixels = at('pixels');
    await decodeCommand.run(decodeCommand.options.parse({ ...options, set, out: pixels }), contextFor());
    await teach('from-pixels', { from: pixels });
    assert.deepEqual(await bytesBelow(at('from-pixels')), await bytesBelow(at('whole')));
    await assert.rejects(
      teach('from-others', { from: pixels, seed: 5 }),
      fails('E_CACHE_IDENTITY', 'seed', '5', '0'),
    );
  });

  test('what cannot work is refused by its code', async () => {
    await assert.rejects(teach('few', { credits: 1, teachBatch: 64 }), fails('E_CREDITS', 'batch'));
    await assert.rejects(teach('hints', { hints: [99] }), fails('E_LOSS', '99'));
    const image = join(folder, 'data', 'images', 'val', '000.png');
    await truncate(image, 60);
    await assert.rejects(teach('bad', { split: 'val' }), fails('E_IMAGE', '000.png'));
    const dropped = await teach('dropped', { split: 'val', badImages: 'drop' });
    assert.equal(dropped.sealed, true);
    const { manifest } = await openCache(folderStore(at('dropped')));
    assert.deepEqual(manifest.identity['dropped'], ['images/val/000.png']);
  });

  test('progress has a rate, the share of waiting and the time left', async () => {
    const events: (SoftshardEvent | object)[] = [];
    await teach('told', {}, events);
    const unit = events.find((event) => 'type' in event && event.type === 'unit');
    assert.ok(unit !== undefined && 'rate' in unit && 'dataWait' in unit && 'etaS' in unit);
    assert.ok(unit.dataWait >= 0 && unit.dataWait <= 1);
  });
});
