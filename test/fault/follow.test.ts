/** A student that starts with its teacher ends with the bits of one that starts after it. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { command as teachCommand } from '../../stages/teach.ts';
import { command as trainCommand, type TrainResult } from '../../stages/train.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const contextFor = (lines: string[] = [], signal = new AbortController().signal): StepContext => ({
  ...{ signal, run: 'test-1', step: 'test' },
  emit: () => undefined,
  info: (line) => lines.push(line),
  warn: () => undefined,
});

describe('students of one cache', () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const machine = { imgsz: 64, engine: 'wasm', workers: 0 } as const;
  const train = (name: string, given: object, context = contextFor()): Promise<TrainResult> =>
    trainCommand.run(
      trainCommand.options.parse({
        ...{ ...machine, data: tiny.data, cfg: tiny.model, batchSize: 4, epochs: 2, val: false, name },
        ...{ project: join(folder, 'runs'), cache: join(folder, 'cache'), shuffleViews: 4, ...given },
      }),
      context,
    );
  const bits = async (name: string): Promise<string> =>
    (await readFile(join(folder, 'runs', name, 'last.safetensors'))).toString('base64');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-follow-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 10, unlabelled: 0, val: 0 });
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('one that follows the growing cache, and two at once from the whole', async () => {
    const lines: string[] = [];
    const following = train('following', { follow: true }, contextFor(lines));
    const given = { ...machine, weights, data: tiny.data, views: 2, unitViews: 4 };
    const options = teachCommand.options.parse({ ...given, cache: join(folder, 'cache') });
    await Promise.all([following, teachCommand.run(options, contextFor())]);
    assert.match(lines.join('\n'), /waiting for .*cache: there is no cache yet/);
    await Promise.all(['one', 'two'].map((name) => train(name, {})));
    assert.equal(await bits('one'), await bits('two'));
    assert.equal(await bits('following'), await bits('one'));
    // Waiting decides nothing: the run that followed is found without it.
    assert.equal((await train('following', {})).found, true);
  });

  test('waiting ends with an interruption; without a cache there is nothing to follow', async () => {
    const controller = new AbortController();
    const waiting = train(
      'waits',
      { follow: true, cache: join(folder, 'none') },
      {
        ...contextFor([], controller.signal),
        info: () => controller.abort(new Error('enough')),
      },
    );
    await assert.rejects(waiting, (error) => isSoftshardError(error, 'E_ABORTED'));
    await assert.rejects(train('labels', { follow: true, cache: undefined }), (error) =>
      isSoftshardError(error, 'E_OPTION_CONFLICT'),
    );
  });
});
