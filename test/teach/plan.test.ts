/** What `plan` says beforehand is what `teach` writes. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStore } from '../../src/cache/folder-store.ts';
import { inspectCache } from '../../src/cache/inspect.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { planText } from '../../src/teach/plan-summary.ts';
import { teachOptionsSchema } from '../../src/teach/teach-options.ts';
import { command as planCommand } from '../../stages/images.ts';
import { runTeach } from '../../stages/teach.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe('plan', () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  let warnings: string[];
  const context = (): StepContext => ({
    ...{ signal: new AbortController().signal, run: 'plan-1', step: 'plan' },
    ...{ emit: () => undefined, info: () => undefined },
    warn: (message) => void warnings.push(message),
  });
  const plan = (more: Record<string, unknown> = {}) =>
    planCommand.run(
      planCommand.options.parse({ data: tiny.data, imgsz: 256, unitViews: 4, ...more }),
      context(),
    );

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-plan-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 2, val: 1 });
    weights = await makeTinyTeacher(folder);
    warnings = [];
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const codec of ['fp16', 'fp32', 'int8'])
    test(`its bytes in ${codec} are those that teach plans, and within 1 % those on the disk`, async () => {
      const cache = join(folder, codec);
      const asked = { weights, hints: [0, 2], codec, views: 2, cache };
      const planned = await plan(asked);
      assert.ok(!existsSync(cache));
      assert.equal(planned.views, 14);
      assert.equal(planned.units.length, 4);
      const taught = await runTeach(
        teachOptionsSchema.parse({
          ...{ data: tiny.data, imgsz: 256, unitViews: 4, teachBatch: 4, workers: 0, engine: ENGINE },
          ...asked,
        }),
        context(),
      );
      assert.equal(planned.bytes, taught.bytes);
      const { bytes, answers } = await inspectCache(folderStore(cache));
      assert.ok(Math.abs(bytes / taught.bytes - 1) < 0.01, `${bytes} written, ${taught.bytes} planned`);
      assert.deepEqual(
        planned.answers.map(({ kind, blobs }) => [kind, blobs.map(({ name }) => name)]),
        answers.map(({ kind, blobs }) => [kind, blobs]),
      );
      assert.equal(planned.bytes, (planned.bytesPerView ?? 0) * 14);
    });

  test('a description alone gives the shapes of its weights', async () => {
    const [byCfg, byWeights] = [
      await plan({ cfg: tiny.model, hints: [2] }),
      await plan({ weights, hints: [2] }),
    ];
    assert.deepEqual(byCfg.answers, byWeights.answers);
    assert.deepEqual(byCfg.answers[0]?.blobs[0], { name: 'head.0', shape: [32, 32, 2, 7] });
  });

  test('without a teacher views and units are known, and the text says how to learn the bytes', async () => {
    const planned = await plan();
    assert.deepEqual([planned.answers, planned.bytes, planned.target.fits], [[], null, null]);
    assert.match(planText(planned), /7 views at 256 in 2 units of at most 4\nanswers: name a teacher/);
    assert.match(planText(planned), /free space in .*: [\d.]+ [KMGT]?B$/m);
  });

  test('it warns of what teach would refuse, and refuses nothing', async () => {
    const three = join(folder, 'data', 'three.yaml');
    const yaml = await readFile(tiny.data, 'utf8');
    await writeFile(three, yaml.replace('[red, green]', '[red, green, blue]'));
    warnings = [];
    const other = await plan({ weights, data: three });
    assert.match(warnings.join('\n'), /would refuse.*other classes/);
    assert.ok((other.bytes ?? 0) > 0);
    const full = { ...other, target: { folder: '/full', freeBytes: 1000, fits: false } };
    assert.match(planText(full), /free space in \/full: 1\.00 KB: the answers do NOT fit/);
  });

  test('features get fp16 where the codec is for heads only, or a codec of their own', async () => {
    const specs = async (more: object) =>
      (await plan({ weights, hints: [2], ...more })).answers.map((a) => a.codec);
    const [heads, features] = await specs({ codec: 'sparse:k=100' });
    assert.match(heads ?? '', /^sparse:.*k=100,/);
    assert.equal(features, 'fp16');
    assert.deepEqual((await specs({ codec: 'sparse', hintCodec: 'int8' }))[1], 'int8');
    assert.deepEqual(await specs({ codec: 'fp32' }), ['fp32', 'fp32']);
  });

  test('a codec for bytes is refused with the codecs for answers', () => {
    for (const codec of ['raw', 'zip', 'fp16:x=1', 'sparse:x=1']) {
      const parsed = teachOptionsSchema.safeParse({ weights, data: tiny.data, cache: 'c', codec });
      assert.equal(parsed.error?.issues[0]?.message, 'one of fp16, fp32, int8, sparse', codec);
    }
  });
});
