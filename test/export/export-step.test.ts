import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { isSoftshardError } from '../../src/errors.ts';
import { loadModel } from '../../src/evaluate/load-model.ts';
import { checkWeightFile } from '../../src/export/export-model.ts';
import { publish } from '../../src/export/publish.ts';
import { writePt } from '../../src/weights/pt-writer.ts';
import { repositoryRoot } from '../reference.ts';
import { tinyGraph, tinyState, writeTinyModel } from '../evaluate/tiny-model.ts';

const run = promisify(execFile);

const printed = z.looseObject({
  names: z.array(z.string()),
  exports: z.array(z.looseObject({ format: z.string(), path: z.string(), bytes: z.number() })),
});

describe('softshard export', () => {
  let folder: string;
  let weights: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-export-step-'));
    weights = join(folder, 'tiny.safetensors');
    await writeTinyModel(weights);
  });
  after(() => rm(folder, { recursive: true }));

  const exported = (...argv: string[]): Promise<{ stdout: string }> =>
    run(
      process.execPath,
      ['bin/softshard.js', 'export', '--imgsz', '64', '--engine', 'wasm', '--weights', weights, ...argv],
      { cwd: repositoryRoot },
    );

  test('writes all formats, and nothing else', async () => {
    const out = join(folder, 'out');
    // What is there already is replaced.
    await mkdir(join(out, 'tiny_tfjs'), { recursive: true });
    await writeFile(join(out, 'tiny_tfjs', 'stale.bin'), 'old');
    const { stdout } = await exported('--format', 'pt,safetensors,tfjs', '--out', out, '--json');
    const { exports, names } = printed.parse(JSON.parse(stdout));
    assert.deepEqual(names, ['red', 'green']);
    assert.deepEqual(
      exports.map(({ path }) => path),
      ['tiny.pt', 'tiny.safetensors', 'tiny_tfjs'].map((name) => join(out, name)),
    );
    assert.deepEqual((await readdir(out)).sort(), ['tiny.pt', 'tiny.safetensors', 'tiny_tfjs']);
    assert.deepEqual((await readdir(join(out, 'tiny_tfjs'))).sort(), ['group1-shard1of1.bin', 'model.json']);
    const again = await loadModel({ weights: join(out, 'tiny.safetensors') });
    assert.deepEqual(again.state, tinyState());
    assert.deepEqual(again.graph.yaml, tinyGraph().yaml);
  });

  test('never replaces the file that it reads', async () => {
    const before_ = await readFile(weights);
    await assert.rejects(exported('--format', 'safetensors', '--out', folder), (error: unknown) =>
      z.object({ stderr: z.string() }).parse(error).stderr.includes('E_OPTION_CONFLICT'),
    );
    assert.deepEqual(await readFile(weights), before_);
  });

  test('names an unknown format', () =>
    assert.rejects(exported('--format', 'onnx', '--out', folder), (error: unknown) => {
      const { code, stderr } = z.object({ code: z.number(), stderr: z.string() }).parse(error);
      return code === 2 && stderr.includes('--format');
    }));

  test('a weight file that holds other values is E_EXPORT', async () => {
    const file = join(folder, 'other.pt');
    const state = tinyState();
    await writePt(file, state);
    await checkWeightFile(file, state);
    const bias = state.get('model.5.m.0.bias');
    assert.ok(bias?.data instanceof Float32Array);
    const changed = { ...bias, data: bias.data.map((v, i) => (i === 0 ? v + 1 : v)) };
    for (const other of [new Map([...state, ['model.5.m.0.bias', changed]]), new Map([...state].slice(1))]) {
      await assert.rejects(checkWeightFile(file, other), (error) => isSoftshardError(error, 'E_EXPORT'));
    }
  });

  test('what fails its check leaves the old file, and nothing beside it', async () => {
    const out = join(folder, 'kept');
    await mkdir(out);
    const file = join(out, 'a.bin');
    await writeFile(file, 'old');
    const failure = new Error('not equal');
    await assert.rejects(
      publish(
        file,
        (path) => writeFile(path, 'new'),
        () => Promise.reject(failure),
      ),
      failure,
    );
    assert.equal(await readFile(file, 'utf8'), 'old');
    assert.deepEqual(await readdir(out), ['a.bin']);
    await publish(
      file,
      (path) => writeFile(path, 'new'),
      () => Promise.resolve(),
    );
    assert.equal(await readFile(file, 'utf8'), 'new');
  });
});
