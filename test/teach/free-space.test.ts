import { test } from 'node:test';
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import { freeSpace, refuseFullDisk } from '../../src/teach/free-space.ts';

test('a cache that does not fit is refused with both numbers', async () => {
  const free = (): Promise<number> => Promise.resolve(1_000_000);
  await refuseFullDisk('cache', 1_000_000, free);
  await assert.rejects(
    refuseFullDisk('cache', 2_000_000_000, free),
    (error) =>
      isSoftshardError(error, 'E_DISK_FULL') &&
      error.detail.expected === '2.00 GB free' &&
      error.detail.found === '1.00 MB free',
  );
  await refuseFullDisk('cache', 10, () => Promise.resolve(undefined));
});

test('the space of a folder that does not exist yet is that of the one above', async () => {
  const free = await freeSpace(join(tmpdir(), 'softshard-none', 'below'));
  assert.ok(free !== undefined && free >= 0);
});
