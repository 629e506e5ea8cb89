import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nativeReason } from '../../src/engine/native-reason.ts';

test('an engine says where it really computes', () => {
  const none = { missing: 'there is no NVIDIA driver (/dev/nvidiactl)' };
  assert.equal(nativeReason(false, 'cpu', 'cpu', none), 'installed');
  assert.equal(nativeReason(true, 'gpu', 'gpu', { driver: '550.54' }), 'asked for');
  assert.equal(
    nativeReason(false, 'gpu', 'cpu', none),
    'installed; built for the GPU, it computes on the CPU: there is no NVIDIA driver (/dev/nvidiactl)',
  );
  assert.match(
    nativeReason(true, 'gpu', 'cpu', { driver: '550.54' }),
    /driver 550\.54 is there.*found no GPU/,
  );
});
