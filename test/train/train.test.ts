/** The train step as a user runs it: from a cache without its teacher, resumed, refused. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readRunRecord } from '../../src/train/run-record.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe(`train on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const train = (name: string, ...more: string[]): Promise<Ended> =>
    runCommand([
      ...['train', '--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--epochs', '2'],
      ...[
        '--batch-size',
        '4',
        '--engine',
        ENGINE,
        '--project',
        join(folder, 'runs'),
        '--name',
        name,
        ...more,
      ],
    ]);
  const cached = (name: string, ...more: string[]): Promise<Ended> =>
    train(name, '--cache', join(folder, 'cache'), ...more);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-train-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 6, val: 3 });
    weights = await makeTinyTeacher(folder);
    const taught = await runCommand([
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--engine', ENGINE],
      ...['--hints', '3', '--unit-views', '4', '--cache', join(folder, 'cache')],
    ]);
    assert.equal(taught.code, 0, taught.output);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('the student needs the cache alone: without the teacher’s file it is the same to the bit', async () => {
    const distil = ['--set', 'distill.hints.0.student=3', '--set', 'distill.hints.0.teacher=3'];
    const first = await cached('with-teacher', ...distil);
    assert.equal(first.code, 0, first.output);
    await rename(weights, `${weights}.away`);
    try {
      const second = await cached('without-teacher', ...distil);
      assert.equal(second.code, 0, second.output);
    } finally {
      await rename(`${weights}.away`, weights);
    }
    for (const file of ['last.safetensors', 'best.safetensors', 'checkpoint.safetensors', 'results.csv']) {
      const read = (name: string): Promise<Buffer> => readFile(join(folder, 'runs', name, file));
      assert.ok((await read('with-teacher')).equals(await read('without-teacher')), file);
    }
    const results = await readFile(join(folder, 'runs', 'with-teacher', 'results.csv'), 'utf8');
    for (const column of [
      'train/box_loss',
      'val/obj_loss',
      'x/lr2',
      'train/output/obj',
      'train/hint/3-3',
      'train/weighted/hint/3-3',
      'metrics/mAP_0.5:0.95',
    ]) {
      assert.ok(results.includes(column), column);
    }
  });

  test('a finished run is found; other options are refused by name', async () => {
    const again = await cached(
      'with-teacher',
      ...['--set', 'distill.hints.0.student=3', '--set', 'distill.hints.0.teacher=3'],
    );
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /finished: nothing to do/);
    const refused = await cached('with-teacher', '--seed', '3');
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.output, /made with other options/);
    assert.match(refused.output, /options\.seed|distillation|initial/);
  });

  test('the record holds the command line and the contents of what was given', async () => {
    const distill = join(folder, 'terms.yaml');
    await writeFile(distill, 'output: {kind: l2, weight: 2} # as given\n');
    const ended = await cached('told', '--distill', distill, '--set', 'distill.output.weight=3');
    assert.equal(ended.code, 0, ended.output);
    const { places } = (await readRunRecord(join(folder, 'runs', 'told'))) ?? {};
    assert.deepEqual(places?.['given'], {
      distill: { file: distill, text: 'output: {kind: l2, weight: 2} # as given\n' },
      cfg: { file: tiny.model, text: await readFile(tiny.model, 'utf8') },
      set: { distill: { output: { weight: 3 } } },
    });
    const { command } = z.object({ command: z.string() }).parse(places);
    for (const part of ['softshard train --data', `--distill ${distill}`, '--set distill.output.weight=3'])
      assert.ok(command.includes(part), command);
    // The command that was recorded finds the run.
    const again = await runCommand(command.split(' ').slice(1));
    assert.match(again.output, /finished: nothing to do/);
  });

  test('--resume demands a run', async () => {
    const missing = await train('nothing-here', '--resume');
    assert.equal(missing.code, 1, missing.output);
    assert.match(missing.output, /no run to resume/);
  });

  test('labels alone leave the unlabelled images out, and raising the epochs goes on and says so', async () => {
    const labels = await train('labels');
    assert.equal(labels.code, 0, labels.output);
    assert.match(labels.output, /5 images, 5 labelled/);
    const more = await train('labels', '--epochs', '3');
    assert.equal(more.code, 0, more.output);
    assert.match(more.output, /epochs raised from 2 to 3/);
    assert.match(more.output, /epochs were raised from 2 to 3 after epoch 2: the result is that of neither/);
    const { places } = (await readRunRecord(join(folder, 'runs', 'labels'))) ?? {};
    assert.deepEqual(places?.['breaks'], [{ epoch: 2, from: 2, to: 3 }]);
    // Without anything else the last run is found, its options with it.
    const last = await runCommand(['train', '--resume', '--project', join(folder, 'runs')]);
    assert.equal(last.code, 0, last.output);
    assert.match(last.output, /labels is finished: nothing to do/);
    const rows = (await readFile(join(folder, 'runs', 'labels', 'results.csv'), 'utf8')).trim().split('\n');
    assert.equal(rows.length, 4);
  });

  test('distillation terms without a cache, other images, and other augmentation are refused', async () => {
    const noCache = await train('refused', '--set', 'distill.output.weight=2');
    assert.match(noCache.output, /need the answers of a teacher/);
    const otherSplit = await cached('refused', '--split', 'val');
    assert.match(otherSplit.output, /made for other images/);
    const otherSize = await cached('refused', '--imgsz', '96');
    assert.match(otherSize.output, /another image size/);
    const augmented = await cached('refused', '--hyp', 'scratch-low');
    assert.match(augmented.output, /hyp key hsv_h/);
    const noHint = await cached(
      'refused',
      '--set',
      'distill.hints.0.student=2',
      '--set',
      'distill.hints.0.teacher=2',
    );
    assert.match(noHint.output, /no features of the teacher's layer 2/);
    for (const ended of [noCache, otherSplit, otherSize, augmented, noHint]) assert.equal(ended.code, 1);
  });
});
