/** The step `teach` with an ONNX file for a teacher, and a training from what it cached. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { floatBlob, type Target } from '../../src/cache/target.ts';
import { isSoftshardError } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { loadOnnxRuntime } from '../../src/graph-teacher/onnx-runtime.ts';
import { describeTeacherCache } from '../../src/teach/teacher-cache.ts';
import { command as planCommand } from '../../stages/images.ts';
import { command } from '../../stages/teach.ts';
import { command as trainCommand } from '../../stages/train.ts';
import { availableEngines } from '../engines.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';
const onnx = join(repositoryRoot, 'fixtures', 'onnx', 'tiny-fixed.onnx');
const skip = await loadOnnxRuntime().then(
  () => false as const,
  (error: unknown) => (error instanceof Error ? error.message : 'no onnxruntime-node'),
);

const context: StepContext = {
  signal: new AbortController().signal,
  run: 'teach-1',
  step: 'teach',
  emit: () => undefined,
  info: () => undefined,
  warn: () => undefined,
};

describe('the step teach with an ONNX teacher', { skip }, () => {
  let folder: string;
  let tiny: TinyData;
  const at = (name: string): string => join(folder, name);
  const teach = (cache: string, more: Record<string, unknown> = {}) =>
    command.run(
      command.options.parse({
        ...{ weights: onnx, data: tiny.data, imgsz: 64, cache: at(cache), codec: 'fp32', unitViews: 4 },
        ...{ teachBatch: 2, hints: [2], workers: 0, engine: ENGINE, threads: 1, ...more },
      }),
      context,
    );

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-onnx-'));
    tiny = await makeTinyData(at('data'), { train: 6, unlabelled: 1, val: 2 });
    await teach('cache');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('caches what the weights answer, and says what made it', async () => {
    await teach('of-weights', { weights: await makeTinyTeacher(folder) });
    const [ours, theirs] = await Promise.all(
      ['of-weights', 'cache'].map((name) => openCache(folderStore(at(name)))),
    );
    assert.ok(ours !== undefined && theirs !== undefined);
    for (let sample = 0; sample < 7; sample++) {
      const a: Target = await ours.read(sample, 0);
      const b: Target = await theirs.read(sample, 0);
      assert.equal(a.inputDigest, b.inputDigest);
      for (const name of ['head.0', 'head.1', 'feature.2']) {
        const [x, y] = [floatBlob(a, name), floatBlob(b, name)];
        assert.deepEqual(x.shape, y.shape);
        const worst = x.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (y.data[i] ?? NaN))), 0);
        assert.ok(worst < 1e-4, `${name} of ${sample}: ${worst}`);
      }
    }
    const { identity, provenance } = theirs.manifest;
    const teacher = describeTeacherCache(theirs.manifest);
    assert.match(teacher.teacherDigest, /^[0-9a-f]{64}$/);
    assert.deepEqual([teacher.layerChannels[2], teacher.layerStrides[2]], [8, 4]);
    assert.deepEqual([provenance['engine'], provenance['threads']], ['onnxruntime', 1]);
    assert.equal(typeof provenance['onnxruntime'], 'string');
    assert.match(JSON.stringify(identity['teacher']), /"format":"onnx"/);
  });

  test('is found again, and replays as equal', async () => {
    assert.deepEqual(await teach('cache').then(({ found, sealed }) => [found, sealed]), [2, true]);
    // Without --threads it goes on with those that began it.
    const replayed = await teach('cache', { units: '0-1', threads: undefined });
    assert.equal(replayed.equal, 2);
  });

  test('plan and train take it like any other', async () => {
    const planned = await planCommand.run(
      planCommand.options.parse({ data: tiny.data, imgsz: 64, weights: onnx, hints: [2] }),
      context,
    );
    assert.deepEqual(
      planned.answers.map(({ kind }) => kind),
      ['heads', 'feature.2'],
    );
    const hint = { student: 2, teacher: 2 };
    await trainCommand.run(
      trainCommand.options.parse({
        ...{ cfg: tiny.model, data: tiny.data, cache: at('cache'), imgsz: 64, epochs: 1, batchSize: 4 },
        ...{ project: at('runs'), name: 'distilled', engine: ENGINE, workers: 0 },
        set: { distill: { hints: { 0: hint } } },
      }),
      context,
    );
  });

  test('the codec sparse needs a student, since the graph describes none', async () => {
    await assert.rejects(
      teach('sparse', { codec: 'sparse' }),
      (error) => isSoftshardError(error, 'E_USAGE') && error.message.includes('--error-student'),
    );
    const { sealed } = await teach('measured', { codec: 'sparse', errorStudent: tiny.model, errorViews: 2 });
    assert.equal(sealed, true);
  });

  test('heads are named for graphs alone', async () => {
    const weights = await makeTinyTeacher(folder);
    await assert.rejects(teach('named', { weights, heads: ['x'] }), (error) =>
      isSoftshardError(error, 'E_OPTION_CONFLICT'),
    );
    await assert.rejects(
      teach('hinted', { weights, hints: ['x'] }),
      (error) => isSoftshardError(error, 'E_LOSS') && error.message.includes('ONNX'),
    );
  });
});
