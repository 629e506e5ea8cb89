/** The command on a few drawn pictures, from teacher to table; then again, and the pipeline by itself. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

/** Two stages, the first with an adapter that is not trained. */
const STAGED = `
summary: A hint, then the outputs.
stages:
  - share: 0.5
    distill:
      output: { kind: none }
      hard: { weight: 0 }
      hints: [{ student: 3, teacher: 3, kind: mse, adapterWeights: redrawn }]
    hyp: { weight_decay: 0 }
  - share: 0.5
    distill: { output: { kind: soft, schedule: { kind: linear, from: 4, to: 1 } } }
`;

describe(`softshard compare on ${ENGINE}`, () => {
  let folder: string;
  let settings: readonly string[];
  const compare = (...more: readonly string[]): Promise<Ended> =>
    runCommand([
      ...['compare', 'method', '--methods', `soft,${join(folder, 'staged.yaml')}`, '--controls', 'labels'],
      ...['--seeds', '1', '--folder', join(folder, 'out'), ...settings, ...more],
    ]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-compare-'));
    const tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 0, val: 2 });
    await writeFile(join(folder, 'staged.yaml'), STAGED);
    const set = {
      ...{ data: tiny.data, teacher: await makeTinyTeacher(folder), cfg: tiny.model, imgsz: 64, views: 2 },
      ...{ steps: 2, epochs: 2, batchSize: 4, nominalBatch: 4, engine: ENGINE },
    };
    settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('trains each from one cache and leaves a table and a page', async () => {
    const ended = await compare();
    assert.equal(ended.code, 0, ended.output);
    assert.match(ended.output, /^labels +0\.\d+ +0\.\d+ +control +1 +1\.00 +2 +\d+$/m);
    assert.match(ended.output, /^soft +0\.\d+ +0\.\d+ +[+-]0\.\d+ +1 +\d\.\d\d +2 +\d+$/m);
    assert.match(ended.output, /^staged .* 2 +\d+$/m);
    assert.match(ended.output, /The teacher answered once/);
    assert.match(await readFile(join(folder, 'out', 'comparison.html'), 'utf8'), /<svg class="chart"/);
    assert.match(await readFile(join(folder, 'out', 'comparison.md'), 'utf8'), /^\| staged \|/m);
    assert.ok(existsSync(join(folder, 'out', 'cache-3', 'SEAL')));
  });

  test('again it trains nothing, and refuses results of other settings by name', async () => {
    const again = await compare();
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /found soft, seed 0/);
    assert.doesNotMatch(again.output, /softshard train/);
    const other = await compare('--set', 'lr0=0.5');
    assert.equal(other.code, 1);
    assert.match(other.output, /E_RUN_OPTIONS[^]*set\.lr0/);
  });

  test('the pipeline alone finds cache and run, and writes the report', async () => {
    const staged = `cacheFor=["${join(folder, 'staged.yaml')}"]`;
    const run = ['run', 'method', ...settings, '--set', `folder=${join(folder, 'out')}`, '--set', staged];
    const ended = await runCommand(run);
    assert.equal(ended.code, 0, ended.output);
    assert.match(ended.output, /soft, seed 0: 2 batches/);
    assert.ok(existsSync(join(folder, 'out', 'soft-0', 'report.html')));
  });
});
