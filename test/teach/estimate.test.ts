/** What `plan --estimate` says beforehand is what `teach` then writes. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepContext } from '../../src/flow/step-command.ts';
import { codedAnswers } from '../../src/cache/part.ts';
import { makePlan } from '../../src/data/plan.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { estimateTeaching, estimateText, meanUncertainty } from '../../src/teach/estimate.ts';
import { teachOptionsSchema } from '../../src/teach/teach-options.ts';
import { command as planCommand } from '../../stages/images.ts';
import { runTeach } from '../../stages/teach.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

const context = (): StepContext => ({
  ...{ signal: new AbortController().signal, run: 'plan-1', step: 'plan' },
  ...{ emit: () => undefined, info: () => undefined, warn: () => undefined },
});

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}

describe('an estimate', () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-estimate-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 14, unlabelled: 9, val: 0 });
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const codec of ['fp32', 'fp16', 'int8', 'sparse'])
    test(`of ${codec} is within 1 % of what teach writes, small files included`, async () => {
      const cache = join(folder, codec);
      const asked = {
        ...{ weights, data: tiny.data, imgsz: 64, unitViews: 4, teachBatch: 2, workers: 0, engine: ENGINE },
        ...{ codec, hints: [2], views: 2, cache, set: { hyp: { mosaic: 0.5, fliplr: 0.5 } } },
      };
      const { estimate } = await planCommand.run(
        planCommand.options.parse({ ...asked, estimate: true }),
        context(),
      );
      assert.ok(estimate !== undefined);
      await assert.rejects(stat(cache), 'the probe leaves nothing');
      await runTeach(teachOptionsSchema.parse({ ...asked, errorViews: 0 }), context());
      const found = await bytesBelow(cache);
      assert.ok(Math.abs(estimate.bytes / found - 1) <= 0.01, `${estimate.bytes} of ${found}`);
      assert.ok(estimate.uncertainty <= 0.01);
      assert.ok(estimate.viewsPerSecond > 0 && estimate.diskBytesPerSecond > 0);
      assert.match(estimateText(estimate), /epochs? on|live teacher is faster/);
    });

  test('is refused without the teacher', async () => {
    await assert.rejects(
      planCommand.run(planCommand.options.parse({ data: tiny.data, estimate: true }), context()),
      (error) => isSoftshardError(error, 'E_USAGE') && error.message.includes('--weights'),
    );
  });

  test('sums up: time, bandwidths, and the epoch from which a cache pays', () => {
    const plan = makePlan({ samples: 1000, views: 2, unitViews: 100 });
    const answers = codedAnswers({ answers: [{ kind: 'heads', blobs: ['head.0'], codec: 'fp32' }] });
    const records = [Array.from({ length: 10 }, () => 100_000)];
    const of = (decodeSeconds: number) =>
      estimateTeaching({
        ...{ plan, answers, fixedBytes: 1000, studentViewsPerSecond: 50 },
        probe: { records, viewsPerSecond: 10, decodeSeconds, diskBytesPerSecond: 1e9 },
      });
    const estimate = of(0.01);
    assert.equal(estimate.seconds, 200);
    assert.ok(Math.abs(estimate.bytes / (2000 * 100_032) - 1) < 0.01);
    assert.equal(estimate.breakEvenEpochs, 3);
    assert.equal(estimate.readBytesPerSecond, estimate.bytesPerView * 50);
    assert.equal(of(0.2).breakEvenEpochs, null);
  });

  test('knows its uncertainty: none of a whole population, less with more views', () => {
    const values = Array.from({ length: 100 }, (_, i) => 1000 + (i % 10));
    assert.equal(meanUncertainty(values, 100), 0);
    assert.equal(meanUncertainty([5], 100), 1);
    assert.ok(meanUncertainty(values, 1e6) < meanUncertainty(values.slice(0, 20), 1e6));
  });
});
