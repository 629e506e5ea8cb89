import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

// An error that was expected and does not come is an error, too.
test('wrong compositions are compile errors, right ones compile', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, '-p', join(import.meta.dirname, 'tsconfig.json')],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(stdout, '');
  assert.equal(status, 0);
});
