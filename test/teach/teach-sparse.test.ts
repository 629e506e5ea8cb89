/** The step `teach` with the codec sparse: what it measures, chooses, stores, and how it goes on. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { inspectCache, summaryText } from '../../src/cache/inspect.ts';
import { floatBlob } from '../../src/cache/target.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { command } from '../../stages/teach.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe(`teach --codec sparse on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const at = (name: string): string => join(folder, name);
  const teach = (cache: string, more: Record<string, unknown> = {}, told: string[] = []) => {
    const context: StepContext = {
      signal: new AbortController().signal,
      run: 'teach-1',
      step: 'teach',
      emit: () => undefined,
      info: (message) => void told.push(message),
      warn: () => undefined,
    };
    return command.run(
      command.options.parse({
        ...{ weights, data: tiny.data, imgsz: 64, unitViews: 3, teachBatch: 2, workers: 0, engine: ENGINE },
        ...{ cache: at(cache), codec: 'sparse', errorViews: 3, ...more },
      }),
      context,
    );
  };
  const fails = (code: ErrorCode, text: string) => (error: unknown) =>
    isSoftshardError(error, code) && error.message.includes(text);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-sparse-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 0, val: 1 });
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('the manifest holds the measured error, which inspect shows; the answers are close', async () => {
    await teach('sparse', { hints: [2], hintCodec: 'int8' });
    await teach('dense', { hints: [2], codec: 'fp32' });
    const summary = await inspectCache(folderStore(at('sparse')));
    const text = summaryText(summary);
    assert.match(text, /^ {2}heads in sparse:boxes=.*: .*B \(head\.0, head\.1\)$/m);
    assert.match(text, /^ {2}feature\.2 in int8: /m);
    assert.match(text, /^measured headsCodec$/m);
    assert.match(text, /^ {2}students: .*initial student of seed 0.*teacher\+N\(0,1\)/m);
    assert.match(text, /^ {2}relativeError\.soft\.box: mean [\d.e-]+, p95 [\d.e-]+$/m);
    assert.equal((await verifyCache(folderStore(at('sparse')))).problems.length, 0);
    const sparse = await openCache(folderStore(at('sparse')), { codecs: HEAD_CODECS });
    const dense = await openCache(folderStore(at('dense')));
    for (let sample = 0; sample < 5; sample++) {
      const [a, b] = [await sparse.read(sample, 0), await dense.read(sample, 0)];
      for (const name of ['head.0', 'head.1', 'feature.2']) {
        const exact = floatBlob(b, name).data;
        const range = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = floatBlob(a, name).data.reduce(
          (most, v, i) => Math.max(most, Math.abs(v - (exact[i] ?? 0))),
          0,
        );
        assert.ok(worst < 0.2 * range, `${name}: ${worst} of ${range}`);
      }
    }
  });

  test('a cache that is gone on with is the same, and measures nothing again', async () => {
    const told: string[] = [];
    await teach('parts', { units: '1' });
    await teach('parts', {}, told);
    assert.ok(!told.some((line) => line.includes('measuring')));
    await teach('whole', {}, told);
    assert.ok(told.some((line) => line.includes('measuring the error of sparse')));
    assert.equal(
      await readFile(join(at('parts'), 'SEAL'), 'utf8'),
      await readFile(join(at('whole'), 'SEAL'), 'utf8'),
    );
  });

  test('bounds choose the parameters once and are part of the identity', async () => {
    const bounds = { maxLossError: 0.2, maxGradientError: 0.4, maxTermError: 0.8 };
    await teach('bounded', { ...bounds, units: '0' });
    await teach('bounded', bounds);
    const { identity, measured } = await inspectCache(folderStore(at('bounded')));
    assert.match(JSON.stringify(identity), /"bounds":\{"gradient":0\.4,"loss":0\.2,"term":0\.8/);
    const { relativeError } = measured?.['headsCodec'] as {
      relativeError: Record<string, Record<string, { mean: number }>>;
    };
    for (const errors of Object.values(relativeError)) {
      assert.ok((errors['loss']?.mean ?? 1) <= 0.2 && (errors['total']?.mean ?? 1) <= 0.4);
    }
    assert.equal((await teach('bounded', bounds)).found, 2);
    await assert.rejects(
      teach('bounded', { ...bounds, maxGradientError: 0.3 }),
      fails('E_CACHE_IDENTITY', 'answers.bounds'),
    );
    await assert.rejects(teach('bounded', { ...bounds, codec: 'fp16' }), fails('E_USAGE', 'sparse'));
  });
});
