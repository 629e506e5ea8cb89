/** The chain on a few drawn pictures, from the first teacher to the report. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { availableEngines } from '../engines.ts';
import { runCommand } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe(`teacher-chain on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-chain-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 4, unlabelled: 0, val: 2 });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('teaches the second student by the first, and reports', async () => {
    const out = join(folder, 'out');
    const set = {
      ...{
        data: tiny.data,
        teacher: await makeTinyTeacher(folder),
        imgsz: 64,
        views: 1,
        steps: 1,
        epochs: 1,
      },
      ...{ cfgs: JSON.stringify([tiny.model, tiny.model]), batchSize: 4, nominalBatch: 4, direct: false },
      ...{ folder: out, engine: ENGINE },
    };
    const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const ended = await runCommand(['run', 'teacher-chain', ...settings]);
    assert.equal(ended.code, 0, ended.output);
    assert.match(ended.output, /link 2, .*: mAP50-95 0\.\d{3}/);
    assert.match(ended.output, /--weights \S*soft-link-1-0\/last\.safetensors/);
    assert.ok(existsSync(join(out, 'soft-link-2-0', 'report.html')));
  });
});
