/** A teacher killed at random moments leaves, once it is done, the very cache of one that was never disturbed. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';
import { runCommand, untilFree } from './killed-command.ts';

const KILLS = process.env['SOFTSHARD_TEST_LONG'] === '1' ? 40 : 4;
const ENGINE = availableEngines()[0] ?? 'wasm';

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests = await Promise.all(
    files.sort().map(async (file) => {
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return [file.slice(folder.length), digest] as const;
    }),
  );
  return Object.fromEntries(digests);
}

describe(`a teacher under kill -9 on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let weights: string;
  const argv = (name: string): string[] => [
    ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--views', '3'],
    ...['--unit-views', '4', '--teach-batch', '2', '--hints', '2,4', '--set', 'hyp.mosaic=1'],
    ...['--set', 'hyp.fliplr=0.5', '--cache', join(folder, name), '--engine', ENGINE, '--workers', '1'],
  ];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-fault-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 14, unlabelled: 9, val: 2 });
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('started twice at the same time, the processes share the units', { timeout: 300_000 }, async () => {
    const ended = await Promise.all([0, 1].map(() => runCommand(argv('shared'))));
    for (const { code, output } of ended) {
      assert.equal(code, 0, output);
      assert.match(output, /complete and sealed/);
    }
    const written = ended.map(({ output }) => Number(/(\d+) written/.exec(output)?.[1]));
    assert.equal((written[0] ?? 0) + (written[1] ?? 0), 18, written.join());
    const alone = await runCommand(argv('alone'));
    assert.equal(alone.code, 0, alone.output);
    assert.deepEqual(await filesOf(join(folder, 'shared')), await filesOf(join(folder, 'alone')));
    assert.deepEqual(await filesOf(join(folder, 'shared.local')), {});
  });

  test(`${KILLS} kills at random moments, then equal bytes`, { timeout: 1_200_000 }, async () => {
    const started = performance.now();
    const whole = await runCommand(argv('whole'));
    assert.equal(whole.code, 0, whole.output);
    const durationMs = performance.now() - started;
    const key = drawKey(13, 'test-kill');
    for (let kill = 0; kill < KILLS; kill++) {
      const afterMs = durationMs * (0.3 + 0.65 * unitUniform(key, kill));
      const whom = kill % 2 === 0 ? 'all' : 'parent';
      const ended = await runCommand(argv('killed'), { afterMs, whom });
      if (ended.code === 0) break;
    }
    const last = await untilFree(argv('killed'));
    assert.equal(last.code, 0, last.output);
    assert.deepEqual(await filesOf(join(folder, 'killed')), await filesOf(join(folder, 'whole')));
  });
});
