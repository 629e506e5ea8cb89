import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockWriter } from '../../src/cache/writer-lock.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { processIdentity } from '../../src/flow/process-identity.ts';
import { temporaryFolder } from './temporary-folder.ts';

const isLocked = (error: unknown): boolean => isSoftshardError(error, 'E_CACHE_LOCKED');

test('one holder at a time; the lock is given back, also twice', async (t) => {
  const folder = join(await temporaryFolder(t), 'cache.local');
  const lock = await lockWriter(folder);
  assert.deepEqual(lock.takenOver, []);
  await assert.rejects(lockWriter(folder), (error) => {
    assert.ok(isSoftshardError(error, 'E_CACHE_LOCKED'));
    assert.equal(error.detail.found, `process ${process.pid}`);
    assert.ok(error.detail.where?.includes(folder));
    return true;
  });
  await lock.release();
  await lock.release();
  const again = await lockWriter(folder);
  await again.release();
  assert.deepEqual(await readdir(join(folder, 'writers')), []);
});

test('the lock of a process that has ended is taken over', async (t) => {
  const folder = await temporaryFolder(t);
  const lock = await lockWriter(folder);
  const [own] = await readdir(join(folder, 'writers'));
  assert.ok(own !== undefined);
  await lock.release();

  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const [, ...rest] = own.split('_');
  const stale = [child.pid, ...rest].join('_');
  await writeFile(join(folder, 'writers', stale), '');
  const taken = await lockWriter(folder);
  assert.deepEqual(taken.takenOver, [stale]);
  await taken.release();
  assert.deepEqual(await readdir(join(folder, 'writers')), []);
});

test('a reused pid is told by its start time, a reboot by the boot id', async (t) => {
  const { boot, started } = processIdentity();
  if (started === '') {
    t.skip('no /proc on this system');
    return;
  }
  const folder = await temporaryFolder(t);
  const lock = await lockWriter(folder);
  const [own] = await readdir(join(folder, 'writers'));
  await lock.release();
  assert.ok(own?.includes(`_${started}_`) === true && own.includes(`_${boot}_`));
  for (const stale of [own.replace(`_${started}_`, '_1_'), own.replace(boot, 'b'.repeat(36))]) {
    await writeFile(join(folder, 'writers', stale), '');
    const taken = await lockWriter(folder);
    assert.deepEqual(taken.takenOver, [stale]);
    await taken.release();
  }
});

test('who cannot be judged from here is taken to live', async (t) => {
  const folder = await temporaryFolder(t);
  const lock = await lockWriter(folder);
  const [own] = await readdir(join(folder, 'writers'));
  await lock.release();
  assert.ok(own !== undefined);
  const [pid, count, started, , namespace, host] = own.split('_');
  const elsewhere = [pid, count, started, 'c'.repeat(36), namespace, 'deadbeef'].join('_');
  const container = own.replace(new RegExp(`_[^_]*_${String(host)}$`), '_1_deadbeef');
  for (const other of [elsewhere, container, 'something-else']) {
    const own = join(await temporaryFolder(t), 'local');
    await mkdir(join(own, 'writers'), { recursive: true });
    await writeFile(join(own, 'writers', other), '');
    await assert.rejects(lockWriter(own), isLocked, other);
    assert.deepEqual(await readdir(join(own, 'writers')), [other]);
  }
});

test('of many that want it at once at most one has it at any time', async (t) => {
  const folder = await temporaryFolder(t);
  let holders = 0;
  let taken = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      try {
        const lock = await lockWriter(folder);
        holders++;
        taken++;
        assert.equal(holders, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(holders, 1);
        holders--;
        await lock.release();
      } catch (error) {
        if (!isLocked(error)) throw error;
      }
    }),
  );
  assert.deepEqual(await readdir(join(folder, 'writers')), []);
  t.diagnostic(`${taken} of 8 had it in turn`);
});
