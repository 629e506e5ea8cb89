import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writePixels } from '../../src/data/unit-pixels.ts';

test('bytes become float32 in 0...1 at their place in the batch, correctly rounded', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const batch = new Float32Array(3 * 256).fill(-1);
  writePixels(bytes, batch, 1);
  assert.deepEqual(
    batch.subarray(256, 512),
    Float32Array.from(bytes, (value) => value / 255),
  );
  assert.ok(batch.subarray(0, 256).every((value) => value === -1));
  assert.ok(batch.subarray(512).every((value) => value === -1));
});
