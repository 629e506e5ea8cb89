/** The verdict and the text of a diagnosis; loading the engines is tested where the command is. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { command } from '../../src/cli/doctor.ts';
import type { Diagnosis } from '../../src/cli/diagnosis.ts';

const machine: Diagnosis = {
  engines: [
    { name: 'native', found: false, reason: 'no native engine is installed in /h' },
    {
      ...{ name: 'wasm', found: true, reason: 'runs anywhere', version: '4.22.0', device: 'cpu', threads: 1 },
      ...{ gradientError: 5e-7, gflops: 9.84 },
    },
    { name: 'cpu', found: true, reason: 'for tests', version: '4.22.0', device: 'cpu', threads: 1 },
  ],
  canTrain: true,
  used: 'wasm',
  ...{ gpuDriver: null, gpuMissing: 'there is no NVIDIA driver', node: 'v20.20.2', v8: '11.3' },
  ...{ platform: 'linux-x64', glibc: '2.36', sharp: '0.35.5', libvips: '8.18.7', processors: 2 },
  ...{ memoryBytes: 16e9, freeMemoryBytes: 8e9, glibcTunables: null },
  ...{ stepGlibcTunables: 'glibc.malloc.mmap_threshold=4294967296', onednnMaxCpuIsa: 'default' },
  ...{ home: '/h', homeExists: false, freeDiskBytes: 70e9 },
};

const textOf = (diagnosis: Diagnosis): string => command.describe?.(diagnosis) ?? '';

describe('doctor', () => {
  test('prints one table of engines, in columns', () => {
    const lines = textOf(machine).split('\n');
    assert.deepEqual(lines.slice(0, 3), [
      'engine  state    version  device  threads  gradients  GFLOP/s  what, or why not',
      'native  refused                                                no native engine is installed in /h',
      'wasm    found    4.22.0   cpu     1        to 5e-7    9.8      runs anywhere',
    ]);
    assert.ok(lines.includes('gpu        none: there is no NVIDIA driver'));
    assert.ok(lines.includes('allocator  glibc.malloc.mmap_threshold=4294967296'));
    assert.ok(lines.includes('home       /h (not there yet)'));
    assert.equal(lines.at(-1), 'Training is possible. Without --engine it runs on wasm.');
  });

  test('its exit code tells whether a training could run', () => {
    const none = { ...machine, canTrain: false, used: null };
    assert.deepEqual(
      [machine, none].map((each) => command.exitCode?.(each)),
      [0, 1],
    );
    assert.match(textOf(none), /No engine that can train was found\.$/);
  });
});
