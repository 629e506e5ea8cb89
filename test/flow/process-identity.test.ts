import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isAlive, processIdentity } from '../../src/flow/process-identity.ts';

test('a process is told from another one with its pid', () => {
  const self = processIdentity();
  assert.equal(self.pid, process.pid);
  assert.ok(isAlive(self));
  assert.ok(!isAlive({ ...self, started: '1' }));
  assert.ok(!isAlive({ ...self, boot: 'another' }));
  assert.ok(!isAlive({ pid: 2 ** 22 + 1, boot: self.boot, started: '' }));
  assert.ok(!isAlive({ ...self, pid: -1 }));
});
