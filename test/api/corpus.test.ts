/** The first sealed caches and run, which every later version must read. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folderStore, openCache, verifyCache, floatBlob } from '../../src/cache/index.ts';
import { encodeDocument, sha256Hex } from '../../src/cache/document.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { parseResults } from '../../src/report/results-table.ts';
import { readProgress, TRAINING_STATE_FORMAT } from '../../src/train/checkpoint.ts';
import { resultsCsv } from '../../src/train/results-csv.ts';
import { runFiles } from '../../src/train/run-files.ts';
import { readRunRecord } from '../../src/train/run-record.ts';
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensors.ts';
import { pythonWithMsgpack } from '../cache/python.ts';
import { temporaryFolder } from '../cache/temporary-folder.ts';
import { repositoryRoot } from '../reference.ts';
import {
  cacheContent,
  CORPUS_CACHES,
  CORPUS_RUN,
  runContent,
  type CorpusContent,
  type ViewContent,
} from './corpus-content.ts';

const corpus = join(repositoryRoot, 'fixtures', 'corpus', 'v1');
const expected = JSON.parse(await readFile(join(corpus, 'content.json'), 'utf8')) as CorpusContent;
const expectedViews = (name: string): readonly ViewContent[] => expected.caches[name] ?? [];

const fails =
  (code: ErrorCode, text: RegExp) =>
  (error: unknown): boolean =>
    isSoftshardError(error, code) && text.test(error.message);

type Fields = Record<string, unknown>;
const fieldsOf = async (path: string): Promise<Fields> => JSON.parse(await readFile(path, 'utf8')) as Fields;

/** Rewrites a JSON file of a cache, with the digest that belongs to it. */
const rewrite = async (path: string, change: (fields: Fields) => Fields): Promise<Uint8Array> => {
  const { format, major, minor, ...body } = change(await fieldsOf(path));
  const bytes = encodeDocument(
    { format: String(format), major: Number(major), minor: Number(minor) },
    { ...body, digest: undefined },
  );
  await writeFile(path, bytes);
  return bytes;
};

const PYTHON = pythonWithMsgpack();
const skipPython = 'skip' in PYTHON ? PYTHON.skip : false;
const readWithPython = (folder: string): { manifest: Fields; views: ViewContent[] } => {
  const reader = join(repositoryRoot, 'readers', 'python', 'softshard_reader.py');
  const python = 'python' in PYTHON ? PYTHON.python : '';
  const output = execFileSync(python, [reader, folder, '--json', '--verify'], { encoding: 'utf8' });
  return JSON.parse(output) as { manifest: Fields; views: ViewContent[] };
};

for (const name of CORPUS_CACHES)
  describe(`corpus v1: ${name}`, () => {
    const folder = join(corpus, name);

    test('every byte verifies, and every value is as it was written', async () => {
      const report = await verifyCache(folderStore(folder));
      assert.deepEqual(report.problems, []);
      assert.ok(report.sealed);
      assert.ok(expectedViews(name).length >= 6);
      assert.deepEqual(await cacheContent(folder), expectedViews(name));
    });

    test('the reader in Python finds the same', { skip: skipPython }, () => {
      const { views } = readWithPython(folder);
      assert.equal(views.length, expectedViews(name).length);
      for (const [i, { sample, view, input, record, blobs }] of expectedViews(name).entries()) {
        const found = views[i];
        assert.deepEqual([found?.sample, found?.view, found?.input], [sample, view, input]);
        assert.deepEqual(found?.record, record);
        for (const [blob, { shape, dtype, sha256 }] of Object.entries(blobs)) {
          const other = found?.blobs[blob];
          assert.deepEqual([other?.shape, other?.dtype, other?.sha256], [shape, dtype, sha256]);
        }
      }
    });

    test('an unknown major version is refused', async (t) => {
      const later = fails('E_CACHE_FORMAT', /major version that this program does not know[^]* 2\.0/);
      for (const file of ['cache.json', 'SEAL', 'units/000000.json']) {
        const copy = join(await temporaryFolder(t), name);
        await cp(folder, copy, { recursive: true });
        await rewrite(join(copy, file), (fields) => ({ ...fields, major: 2 }));
        // A seal covers the unit records: without it their version is what is looked at.
        if (file.startsWith('units/'))
          for (const sealed of ['SEAL', 'index.json']) await rm(join(copy, sealed));
        const read = async (): Promise<unknown> => {
          const cache = await openCache(folderStore(copy), { allowUnsealed: true });
          return cache.read(0, 0);
        };
        await assert.rejects(read(), later, file);
      }
    });

    test('fields of a later minor version are kept, and change nothing', async (t) => {
      const copy = join(await temporaryFolder(t), name);
      await cp(folder, copy, { recursive: true });
      const later = { later: { of: ['1.9'] }, minor: 9 };
      const manifest = await rewrite(join(copy, 'cache.json'), (fields) => ({ ...fields, ...later }));
      await rewrite(join(copy, 'SEAL'), (fields) => ({
        ...fields,
        ...later,
        manifest: sha256Hex(manifest),
      }));
      const cache = await openCache(folderStore(copy));
      assert.deepEqual([cache.manifest['later'], cache.manifest.minor], [later.later, 9]);
      assert.deepEqual(cache.seal?.['later'], later.later);
      assert.deepEqual(await cacheContent(copy), expectedViews(name));
      if (skipPython !== false) return;
      // Without --verify: the seal's sizes and tree are those of the original.
      const reader = join(repositoryRoot, 'readers', 'python', 'softshard_reader.py');
      const python = 'python' in PYTHON ? PYTHON.python : '';
      const read = JSON.parse(execFileSync(python, [reader, copy, '--json'], { encoding: 'utf8' })) as {
        manifest: Fields;
        views: unknown[];
      };
      assert.deepEqual(read.manifest['later'], later.later);
      assert.equal(read.views.length, expectedViews(name).length);
    });
  });

test('corpus v1: fp16 is fp32 rounded to half precision', async () => {
  const [half, single] = await Promise.all(
    CORPUS_CACHES.map((name) => openCache(folderStore(join(corpus, name)))),
  );
  assert.ok(half && single);
  for (let sample = 0; sample < 6; sample++)
    for (const name of ['head.0', 'head.1']) {
      const rounded = floatBlob(await half.read(sample, 0, ['heads']), name);
      const exact = floatBlob(await single.read(sample, 0, ['heads']), name);
      assert.deepEqual(rounded.shape, exact.shape);
      for (const [i, value] of exact.data.entries())
        assert.ok(
          Math.abs((rounded.data[i] ?? NaN) - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
        );
    }
});

describe('corpus v1: run', () => {
  const folder = join(corpus, CORPUS_RUN);

  test('record, results, checkpoint and weights are as they were written', async () => {
    assert.deepEqual(await runContent(folder), expected.run);
    const record = await readRunRecord(folder);
    assert.equal(record?.places['cache'], 'cache-fp16');
    const { rows } = await readProgress(runFiles(folder).checkpoint);
    // Written before the columns had YOLOv5's names.
    const { columns, rows: written } = parseResults(expected.run.results);
    const named = written.map((row) =>
      Object.fromEntries(columns.map((column, c) => [column, row[c] ?? NaN])),
    );
    assert.equal(resultsCsv(rows), resultsCsv(named));
  });

  test('an unknown major version is refused, fields of a later minor version are kept', async (t) => {
    const copy = join(await temporaryFolder(t), CORPUS_RUN);
    await cp(folder, copy, { recursive: true });
    const json = join(copy, 'run.json');
    const fields = await fieldsOf(json);
    await writeFile(json, JSON.stringify({ ...fields, minor: 9, later: [1] }));
    const record = await readRunRecord(copy);
    assert.deepEqual([record?.minor, record?.['later']], [9, [1]]);
    await writeFile(json, JSON.stringify({ ...fields, major: 2 }));
    await assert.rejects(readRunRecord(copy), fails('E_FILE', /later major version/));

    const { checkpoint } = runFiles(copy);
    const { state, metadata } = await readSafetensors(checkpoint);
    const key = 'softshard.progress';
    const progress = JSON.parse(metadata[key] ?? '') as Fields;
    const write = (change: Fields): Promise<void> =>
      writeSafetensors(checkpoint, state, { ...metadata, [key]: JSON.stringify({ ...progress, ...change }) });
    await write({ minor: 9, later: true });
    assert.equal((await readProgress(checkpoint))['later'], true);
    await write({ major: TRAINING_STATE_FORMAT.major + 1 });
    await assert.rejects(readProgress(checkpoint), fails('E_WEIGHTS_FORMAT', /later major version/));
  });
});
