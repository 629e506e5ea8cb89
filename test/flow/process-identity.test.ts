import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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

test(
  'a process that has ended but was not waited for is dead',
  { skip: existsSync('/proc/self/stat') ? false : 'there is no /proc' },
  async () => {
    // The shell becomes a program that never waits for the child it inherits.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const child = processIdentity(Number(line.toString()));
      assert.ok(isAlive(child));
      for (let i = 0; i < 200 && isAlive(child); i++) await new Promise((done) => setTimeout(done, 25));
      assert.ok(!isAlive(child));
      assert.ok(existsSync(`/proc/${child.pid}`), 'it is still listed');
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
