import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderStore } from '../../src/cache/folder-store.ts';
import { verifyCache } from '../../src/cache/verify.ts';
import { drawKey, integerBelow } from '../../src/random/keyed.ts';
import { repositoryRoot } from '../reference.ts';
import { contentOf } from './synthetic.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KILLS = process.env['SOFTSHARD_TEST_LONG'] === undefined ? 10 : 100;
const UNITS = 20;

/** Runs the writer; kills it `killAfterMs` after it opened the cache, unless that is undefined. */
async function write(cache: string, pauseMs: number, killAfterMs?: number) {
  const script = join(repositoryRoot, 'test', 'cache', 'write-synthetic-cache.ts');
  const args = ['--conditions=softshard-source', '--import', 'tsx', script, cache, String(pauseMs)];
  const child = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let found = 0;
  let written = 0;
  const lines = createInterface({ input: child.stdout });
  const reading = (async () => {
    for await (const line of lines) {
      if (line.startsWith('open ')) {
        found = Number(line.slice(5));
        if (killAfterMs !== undefined) void sleep(killAfterMs).then(() => child.kill('SIGKILL'));
      }
      if (line.startsWith('unit ')) written++;
    }
  })();
  const [code, signal] = (await exit) as [number | null, string | null];
  await reading;
  return { code, signal, found, written };
}

test(`${KILLS} kills at random moments cost the open unit each and change no byte`, async (t) => {
  const folder = await temporaryFolder(t);
  const reference = join(folder, 'reference');
  assert.deepEqual(await write(reference, 0), { code: 0, signal: null, found: 0, written: UNITS });
  const expected = await contentOf(folderStore(reference));

  const cache = join(folder, 'killed');
  let kills = 0;
  let finished = 0;
  let committed = 0;
  for (let run = 0; kills < KILLS; run++) {
    const delay = integerBelow(drawKey(1, 'test-kill', run), 0, 120);
    const { signal, found, written } = await write(cache, 1, delay);
    if (signal === 'SIGKILL') kills++;
    // Everything that was announced is still there, and at most one unit more.
    assert.ok(found >= committed && found <= committed + 1, `${found} units found, ${committed} announced`);
    committed = found + written;
    if (committed === UNITS && signal === null) {
      assert.deepEqual(await contentOf(folderStore(cache)), expected);
      await rm(cache, { recursive: true });
      committed = 0;
      finished++;
    }
  }
  const last = await write(cache, 0);
  assert.equal(last.code, 0);
  assert.ok(last.found >= committed && last.found <= committed + 1);
  assert.deepEqual(await contentOf(folderStore(cache)), expected);
  assert.deepEqual((await verifyCache(folderStore(cache))).problems, []);
  assert.deepEqual(await readdir(`${cache}.local/writers`), []);
  const leftOver = await readdir(cache, { recursive: true });
  assert.deepEqual(
    leftOver.filter((name) => name.includes('.partial')),
    [],
  );
  t.diagnostic(`${kills} kills; ${finished + 1} caches finished`);
});
