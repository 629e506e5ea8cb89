import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { evictCache, findCaches, planEviction } from '../../src/cache/evict.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { lockReader } from '../../src/cache/reader-lock.ts';
import { lockWriter } from '../../src/cache/writer-lock.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { command } from '../../src/cli/gc.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { writeSynthetic } from './synthetic.ts';
import { temporaryFolder } from './temporary-folder.ts';

const gc = async (dir: string, budget: string, yes: boolean) =>
  command.run(command.options.parse({ dir, budget, yes }), {} as StepContext);

test('the least recently used caches go until the rest fits, and never one in use', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['a', 'b', 'deep/c'].map((name) => join(folder, name));
  for (const [i, name] of names.entries()) {
    await writeSynthetic(folderStore(name));
    for (const file of ['cache.json', 'SEAL', 'units']) await utimes(join(name, file), 1000 + i, 1000 + i);
  }
  await mkdir(join(folder, 'photos'));
  await writeFile(join(folder, 'photos', 'cache.json'), '{}');
  const [a = '', b = '', c = ''] = names;
  const caches = await findCaches(folder);
  assert.deepEqual(caches.map((cache) => cache.folder).sort(), [...names].sort());
  const { bytes = 0 } = caches[0] ?? {};
  const going = (budget: number) => planEviction(caches, budget).map((cache) => cache.folder);
  assert.deepEqual(going(3 * bytes), []);
  assert.deepEqual(going(2 * bytes), [a]);
  assert.deepEqual(going(0), [a, b, c]);

  // Opening a makes it the latest; being read it stays.
  const reader = await lockReader(`${a}.local`);
  const dry = await gc(folder, `${bytes}B`, false);
  assert.deepEqual(
    dry.caches.filter(({ goes }) => goes).map((cache) => cache.folder),
    [b, c],
  );
  assert.equal((await findCaches(folder)).length, 3, 'nothing went');
  assert.equal(await evictCache(a), false);
  const done = await gc(folder, '0B', true);
  assert.deepEqual(done.removed, [b, c]);
  assert.deepEqual(
    (await findCaches(folder)).map((cache) => cache.folder),
    [a],
  );
  assert.deepEqual(
    (await readdir(`${b}.local`)).filter((name) => name.startsWith('evicted')),
    [],
  );
  await reader.release();
  const writer = await lockWriter(`${a}.local`);
  assert.equal(await evictCache(a), false);
  await writer.release();
  const evictor = await lockWriter(`${a}.local`, 'evict');
  await assert.rejects(lockReader(`${a}.local`), (error) => isSoftshardError(error, 'E_CACHE_LOCKED'));
  await evictor.release();
  assert.equal(await evictCache(a), true);
  assert.deepEqual(await findCaches(folder), []);
  assert.ok((await readdir(join(folder, 'photos'))).includes('cache.json'), 'what is no cache stays');
});
