import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/errors.ts';
import { repositoryRoot } from '../reference.ts';

test('docs/errors.md lists every error code with its meaning, cause and remedy', () => {
  const text = readFileSync(join(repositoryRoot, 'docs', 'errors.md'), 'utf8');
  const sections = text
    .split('\n## ')
    .slice(1)
    .map((section) => {
      const [code = '', meaning = '', cause = '', remedy = ''] = section
        .split('\n')
        .filter((line) => line !== '');
      assert.match(cause, /^- Typical cause: .{10}/, code);
      assert.match(remedy, /^- Remedy: .{10}/, code);
      return [code, meaning];
    });
  assert.deepEqual(Object.fromEntries(sections), ERROR_CODES);
  assert.equal(sections.length, Object.keys(ERROR_CODES).length);
});
