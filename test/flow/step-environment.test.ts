import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isStepEnvironment, stepEnvironment } from '../../src/flow/step-environment.ts';

const options = { threads: 2, isa: 'default' };

describe('stepEnvironment', () => {
  test('sets threads, allocator and log level, and keeps the rest', () => {
    const environment = stepEnvironment({ HOME: '/h', ONEDNN_MAX_CPU_ISA: 'SSE41' }, options, 'linux');
    assert.deepEqual(environment, {
      HOME: '/h',
      GLIBC_TUNABLES: 'glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184',
      TF_NUM_INTRAOP_THREADS: '2',
      TF_NUM_INTEROP_THREADS: '1',
      OMP_NUM_THREADS: '2',
      TF_CPP_MIN_LOG_LEVEL: '2',
      UV_THREADPOOL_SIZE: '4',
    });
    assert.equal(stepEnvironment({}, { threads: 8, isa: 'AVX2' }, 'linux')['ONEDNN_MAX_CPU_ISA'], 'AVX2');
    assert.equal(stepEnvironment({}, options, 'darwin')['GLIBC_TUNABLES'], undefined);
  });

  test('keeps other tunables, and is its own fixed point', () => {
    const base = { GLIBC_TUNABLES: 'glibc.malloc.arena_max=1:glibc.malloc.trim_threshold=5' };
    const environment = stepEnvironment(base, options, 'linux');
    assert.match(environment['GLIBC_TUNABLES'] ?? '', /^glibc\.malloc\.arena_max=1:[^5]*mmap/);
    assert.ok(!isStepEnvironment(base, options, 'linux'));
    assert.ok(isStepEnvironment(environment, options, 'linux'));
    assert.ok(!isStepEnvironment(environment, { ...options, threads: 1 }, 'linux'));
    assert.deepEqual(stepEnvironment(environment, options, 'linux'), environment);
  });
});
