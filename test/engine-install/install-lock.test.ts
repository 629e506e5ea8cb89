import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withInstallLock } from '../../src/engine/install/install-lock.ts';
import { processIdentity } from '../../src/flow/process-identity.ts';

const folder = mkdtempSync(join(tmpdir(), 'softshard-lock-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const lock = join(folder, '.lock');

describe('withInstallLock', () => {
  test('one at a time, and nothing is left', async () => {
    let inside = 0;
    let waits = 0;
    const work = async (): Promise<void> => {
      assert.equal(++inside, 1);
      await sleep(15);
      inside--;
    };
    await Promise.all(
      [1, 2, 3].map(() => withInstallLock(folder, work, { pollMs: 2, onWait: () => waits++ })),
    );
    assert.equal(waits, 2);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('a failure releases it', async () => {
    await assert.rejects(
      withInstallLock(folder, () => Promise.reject(new Error('full'))),
      /full/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  test('the lock of a process that has ended is broken, whatever it holds', async () => {
    for (const stale of [JSON.stringify({ ...processIdentity(), started: '1' }), 'torn', '{}']) {
      writeFileSync(lock, stale);
      assert.equal(await withInstallLock(folder, () => Promise.resolve(7)), 7);
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  test('waiting can be aborted, and the holder keeps it', async () => {
    writeFileSync(lock, JSON.stringify(processIdentity()));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    await assert.rejects(
      withInstallLock(folder, () => Promise.resolve(), { pollMs: 2, signal: controller.signal }),
    );
    assert.deepEqual(readdirSync(folder), ['.lock']);
    rmSync(lock);
  });
});
