/** A student that starts with its teacher ends with the bits of one that starts after it. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';
import { runCommand } from './killed-command.ts';

describe('students of one cache', () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const machine = ['--imgsz', '64', '--engine', 'wasm', '--workers', '0'];
  const train = (name: string, ...more: string[]): string[] => [
    ...['train', '--data', tiny.data, '--cfg', tiny.model, '--batch-size', '4', '--epochs', '2', ...machine],
    ...['--project', join(folder, 'runs'), '--name', name, '--shuffle-views', '4', '--no-val', ...more],
  ];
  const bits = async (name: string): Promise<string> =>
    (await readFile(join(folder, 'runs', name, 'checkpoint.safetensors'))).toString('base64');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-follow-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 10, unlabelled: 0, val: 0 });
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test(
    'one that follows the growing cache, and two at once from the whole',
    { timeout: 300_000 },
    async () => {
      const cache = join(folder, 'cache');
      const following = runCommand(train('following', '--cache', cache, '--follow'));
      const taught = await runCommand([
        ...['teach', '--weights', weights, '--data', tiny.data, '--views', '2', '--unit-views', '4'],
        ...[...machine, '--cache', cache],
      ]);
      assert.equal(taught.code, 0, taught.output);
      const followed = await following;
      assert.equal(followed.code, 0, followed.output);
      const ended = await Promise.all(
        ['one', 'two'].map((name) => runCommand(train(name, '--cache', cache))),
      );
      for (const { code, output } of ended) assert.equal(code, 0, output);
      assert.equal(await bits('one'), await bits('two'));
      assert.equal(await bits('following'), await bits('one'));
      // Waiting decides nothing: the run that followed is found without it.
      const again = await runCommand(train('following', '--cache', cache));
      assert.match(again.output, /found 2 epochs/);
    },
  );

  test('waiting is told', { timeout: 120_000 }, async () => {
    const waited = await runCommand(train('waits', '--follow', '--cache', join(folder, 'none')), {
      ...{ afterMs: 15_000, whom: 'all' },
    });
    assert.match(waited.output, /waiting for .*none: there is no cache yet/);
  });
});
