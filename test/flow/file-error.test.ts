import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SoftshardError, isSoftshardError } from '../../src/errors.ts';
import { fileError } from '../../src/flow/file-error.ts';

const errno = (code: string): Error => Object.assign(new Error(code), { code });

describe('fileError', () => {
  test('tells a full disk from other failures', () => {
    assert.ok(isSoftshardError(fileError(errno('ENOSPC'), 'p', 'written'), 'E_DISK_FULL'));
    assert.ok(isSoftshardError(fileError(errno('EDQUOT'), 'p', 'written'), 'E_DISK_FULL'));
    assert.ok(isSoftshardError(fileError(errno('EXOTIC'), 'p', 'read'), 'E_FILE'));
  });

  test('names the path, the errno and its meaning, and keeps the cause', () => {
    const cause = errno('ENOENT');
    const error = fileError(cause, 'weights.pt', 'read');
    assert.ok(isSoftshardError(error, 'E_FILE'));
    assert.equal(error.detail.where, 'weights.pt');
    assert.equal(error.detail.found, 'ENOENT: no such file or folder');
    assert.equal(error.cause, cause);
  });

  test('leaves alone what is no failure of the file system', () => {
    const own = new SoftshardError('E_CODEC', { message: 'x' });
    const other = new TypeError('y');
    assert.equal(fileError(own, 'p', 'read'), own);
    assert.equal(fileError(other, 'p', 'read'), other);
  });
});
