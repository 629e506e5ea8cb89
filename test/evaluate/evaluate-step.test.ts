import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { evaluationSplit } from '../../src/evaluate/evaluation-split.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyData } from '../tiny-training.ts';
import { writeTinyModel } from './tiny-model.ts';

const run = promisify(execFile);

const printed = z.looseObject({
  format: z.literal('softshard-evaluation'),
  images: z.number(),
  instances: z.number(),
  P: z.number(),
  R: z.number(),
  mAP50: z.number(),
  mAP50_95: z.number(),
  split: z.string(),
  per_class: z.array(
    z.strictObject({
      class: z.number(),
      name: z.string(),
      instances: z.number(),
      P: z.number(),
      R: z.number(),
      mAP50: z.number(),
      mAP50_95: z.number(),
    }),
  ),
});

describe('softshard evaluate', () => {
  let folder: string;
  let data: string;
  let weights: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-evaluate-step-'));
    ({ data } = await makeTinyData(folder, { train: 2, unlabelled: 1, val: 3 }));
    weights = join(folder, 'tiny.safetensors');
    await writeTinyModel(weights);
  });
  after(() => rm(folder, { recursive: true }));

  const evaluate = (...argv: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(
      process.execPath,
      ['bin/softshard.js', 'evaluate', '--data', data, '--imgsz', '64', '--engine', 'wasm', ...argv],
      { cwd: repositoryRoot },
    );

  test('measures by COCO on request', async () => {
    const { stdout } = await evaluate('--weights', weights, '--metric', 'coco', '--json');
    const result = printed
      .extend({ metric: z.literal('coco'), coco: z.record(z.string(), z.number().nullable()) })
      .parse(JSON.parse(stdout));
    assert.equal(result.coco['AP'], result.mAP50_95);
    assert.equal(Object.keys(result.coco).length, 12);
  });

  test('prints one object under --json, of the validation split', async () => {
    const { stdout } = await evaluate('--weights', weights, '--json');
    const result = printed.parse(JSON.parse(stdout));
    assert.equal(result.split, 'val');
    assert.equal(result.images, 3);
    assert.equal(result.instances, 3);
  });

  test('ends with 1 and one line of error for weights that are not there', async () => {
    await assert.rejects(evaluate('--weights', join(folder, 'none.pt')), (error: unknown) => {
      const { code, stderr } = z.object({ code: z.number(), stderr: z.string() }).parse(error);
      return code === 1 && stderr.includes('E_FILE');
    });
  });

  test('measures on val, else test, else train, else everything', async () => {
    assert.equal(await evaluationSplit(data), 'val');
    const bare = join(folder, 'bare');
    await cp(join(folder, 'images', 'train'), join(bare, 'images'), { recursive: true });
    assert.equal(await evaluationSplit(bare), 'all');
    const trainOnly = join(folder, 'train-only');
    const { data: yaml } = await makeTinyData(trainOnly, { train: 1, unlabelled: 0, val: 0 });
    assert.equal(await evaluationSplit(yaml), 'train');
  });
});
