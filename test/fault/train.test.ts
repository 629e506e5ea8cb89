/** A training killed at random moments ends with the very files of one that was never disturbed. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, untilFree } from './killed-command.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const KILLS = process.env['SOFTSHARD_TEST_LONG'] === '1' ? 40 : 4;
const ENGINE = availableEngines()[0] ?? 'wasm';

/** Files that must be equal to the bit. */
const FILES = ['checkpoint.safetensors', 'last.safetensors', 'best.safetensors', 'results.csv'];

const digests = async (folder: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      FILES.map(async (file) => {
        const bytes = await readFile(join(folder, file));
        return [file, createHash('sha256').update(bytes).digest('hex')] as const;
      }),
    ),
  );

describe(`a training under kill -9 on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  const argv = (name: string): string[] => [
    'train',
    ...['--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--batch-size', '4', '--epochs', '6'],
    ...['--project', join(folder, 'runs'), '--name', name, '--engine', ENGINE, '--workers', '1'],
    ...['--nominal-batch', '8', '--warmup-iterations', '4', '--checkpoint-minutes', '0.001'],
  ];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-fault-'));
    tiny = await makeTinyData(folder, { train: 18, unlabelled: 0, val: 4 });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test(`${KILLS} kills at random moments, then equal bits`, { timeout: 1_200_000 }, async () => {
    const started = performance.now();
    const whole = await runCommand(argv('whole'));
    assert.equal(whole.code, 0, whole.output);
    const durationMs = performance.now() - started;
    const key = drawKey(11, 'test-kill');
    for (let kill = 0; kill < KILLS; kill++) {
      // Later and later, so that every part of the work is hit though each sitting starts anew.
      const afterMs = durationMs * (0.35 + 0.6 * unitUniform(key, kill));
      const ended = await runCommand(argv('killed'), { afterMs, whom: kill % 2 === 0 ? 'all' : 'parent' });
      if (ended.code === 0) break;
      await sleep(200);
    }
    const last = await untilFree(argv('killed'));
    assert.equal(last.code, 0, last.output);
    assert.deepEqual(
      await digests(join(folder, 'runs', 'killed')),
      await digests(join(folder, 'runs', 'whole')),
    );
  });
});
