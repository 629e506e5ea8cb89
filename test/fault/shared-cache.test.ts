/** Producers and readers of one cache under kill -9: nothing is lost, nothing torn, and the bytes are one producer's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderStore } from '../../src/cache/folder-store.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { contentOf } from '../cache/synthetic.ts';
import { temporaryFolder } from '../cache/temporary-folder.ts';
import { repositoryRoot } from '../reference.ts';

const IS_LONG = process.env['SOFTSHARD_TEST_LONG'] !== undefined;
const LONG_MS = 300_000;
const KILLS = 8;

interface Ended {
  readonly killed: boolean;
  readonly code: number | null;
  readonly errors: string;
}

/** Runs one process; kills it that long after its start, unless it has ended. */
function run(role: string, cache: string, seed: number, killAfterMs?: number): Promise<Ended> {
  const script = join(repositoryRoot, 'test', 'fault', 'share-synthetic-cache.ts');
  const args = ['--conditions=softshard-source', '--import', 'tsx', script, role, cache, String(seed), '4'];
  const child = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ killed: signal === 'SIGKILL', code, errors });
    }),
  );
}

test('five processes with random kills', { timeout: 900_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const reference = join(folder, 'reference');
  const begun = performance.now();
  assert.equal((await run('produce', reference, 0)).code, 0);
  const aloneMs = performance.now() - begun;
  const expected = await contentOf(folderStore(reference));

  const key = drawKey(3, 'test-shared-kill');
  let draws = 0;
  let kills = 0;
  let caches = 0;
  const until = performance.now() + LONG_MS;
  const isDone = (): boolean => (IS_LONG ? performance.now() > until : kills >= KILLS);

  while (caches === 0 || !isDone()) {
    const cache = join(folder, `cache-${caches}`);
    // Two readers and three producers: each is started anew when it was killed, until it ends by itself.
    const live = async (role: string, seed: number): Promise<void> => {
      for (;;) {
        const afterMs = aloneMs * (0.2 + 0.9 * unitUniform(key, draws++));
        const ended = await run(role, cache, seed, isDone() ? undefined : afterMs);
        if (!ended.killed) {
          assert.equal(ended.code, 0, ended.errors);
          return;
        }
        kills++;
      }
    };
    await Promise.all([
      ...[1, 2, 3].map((seed) => live('produce', seed)),
      ...[4, 5].map((seed) => live('read', seed)),
    ]);
    assert.deepEqual(await contentOf(folderStore(cache)), expected);
    assert.deepEqual((await verifyCache(folderStore(cache))).problems, []);
    const partial = (await readdir(cache, { recursive: true })).filter((name) => name.includes('.partial'));
    assert.deepEqual(partial, []);
    await rm(cache, { recursive: true });
    caches++;
  }
  t.diagnostic(`${kills} kills; ${caches} caches finished`);
});
