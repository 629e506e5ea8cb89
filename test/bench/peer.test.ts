import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { againstPeer } from '../../bench/against-peer.ts';
import { probePeer } from '../../bench/probe-peer.ts';
import { QUICK } from '../../bench/scale.ts';
import { findNativeEngine, isFound } from '../../src/engine/install/index.ts';

const python = process.env['SOFTSHARD_BENCH_PYTHON'] ?? 'python3';
const native = findNativeEngine();
const missing = isFound(native) ? await probePeer(python) : native.missing;

test('an interpreter without PyTorch is told in one line', async () => {
  const reason = await probePeer('no-such-python');
  assert.match(
    reason ?? '',
    /^no-such-python cannot import torch \(.+\); SOFTSHARD_BENCH_PYTHON names another/,
  );
});

// The comparison itself throws when parameters, first losses or logits differ.
test(
  'the same detector, loss and step in PyTorch give the same numbers',
  { skip: missing ?? false },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'softshard-peer-'));
    try {
      const { cases = [], ratios } = await againstPeer(folder, { ...QUICK, rounds: 1, python });
      assert.deepEqual(
        cases.map(({ mode, contestants }) => [mode, contestants.length]),
        [
          ['step', 3],
          ['forward', 3],
        ],
      );
      for (const name of ['step', 'forward', 'memory'] as const) assert.ok((ratios?.[name] ?? 0) > 0, name);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
