/** A training killed at random moments ends with the very files of one that was never disturbed. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { availableEngines } from '../engines.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const KILLS = process.env['SOFTSHARD_TEST_LONG'] === '1' ? 40 : 4;
const ENGINE = availableEngines()[0] ?? 'wasm';

/** Files that must be equal to the bit. */
const FILES = ['checkpoint.safetensors', 'last.safetensors', 'best.safetensors', 'results.csv'];

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `softshard train` and, where `killAfterMs` is given, kills it: parent and child, or only the parent. */
function run(
  argv: readonly string[],
  kill?: { readonly afterMs: number; readonly whom: 'all' | 'parent' },
): Promise<Ended> {
  const child = spawn(process.execPath, [join(repositoryRoot, 'bin', 'softshard.js'), ...argv], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) => {
    const timer =
      kill === undefined
        ? undefined
        : setTimeout(() => {
            const { pid } = child;
            if (pid === undefined) return;
            // The step leads a process group of its own: ask /proc for every descendant.
            if (kill.whom === 'all') for (const each of descendants(pid)) quietKill(each);
            quietKill(pid);
          }, kill.afterMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

const quietKill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
};

function descendants(pid: number): number[] {
  const listed = spawnSync('ps', ['-e', '-o', 'pid=,ppid=']).stdout.toString();
  const children = new Map<number, number[]>();
  for (const line of listed.split('\n')) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child === undefined || parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const below = (of: number): number[] => (children.get(of) ?? []).flatMap((c) => [...below(c), c]);
  return below(pid);
}

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
    const whole = await run(argv('whole'));
    assert.equal(whole.code, 0, whole.output);
    const durationMs = performance.now() - started;
    const key = drawKey(11, 'test-kill');
    for (let kill = 0; kill < KILLS; kill++) {
      // Later and later, so that every part of the work is hit though each sitting starts anew.
      const afterMs = durationMs * (0.35 + 0.6 * unitUniform(key, kill));
      const ended = await run(argv('killed'), { afterMs, whom: kill % 2 === 0 ? 'all' : 'parent' });
      if (ended.code === 0) break;
      await sleep(200);
    }
    // A child whose parent was killed ends by itself; until then it holds the lock.
    let last = await run(argv('killed'));
    for (let i = 0; i < 50 && last.code !== 0 && last.output.includes('E_CACHE_LOCKED'); i++) {
      await sleep(200);
      last = await run(argv('killed'));
    }
    assert.equal(last.code, 0, last.output);
    assert.deepEqual(
      await digests(join(folder, 'runs', 'killed')),
      await digests(join(folder, 'runs', 'whole')),
    );
  });
});
