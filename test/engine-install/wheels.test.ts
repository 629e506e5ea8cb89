/** Which wheel, which sizes and which link flags, for every platform: also for those that the tests never run on. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import { compilerArguments } from '../../src/engine/install/compile-binding.ts';
import { CUDA_WHEELS } from '../../src/engine/install/cuda-wheels.ts';
import { findGpu, hasGpu } from '../../src/engine/install/gpu-device.ts';
import { installPlan, planLines } from '../../src/engine/install/install-plan.ts';
import { libraryLayout } from '../../src/engine/install/library-layout.ts';
import { pipCommand } from '../../src/engine/install/pinned-wheel.ts';
import { requireWheel, type Machine } from '../../src/engine/install/requirements.ts';
import { isOlder } from '../../src/engine/install/version-order.ts';
import { allWheels, WHEELS, wheelFor, wheelSizes } from '../../src/engine/install/wheels.ts';

const machine = (platform: string, more: Partial<Machine> = {}): Machine => ({
  ...{ platform, glibc: platform.startsWith('linux') ? '2.36' : null, release: '23.1.0' },
  ...more,
});

describe('pinned wheels', () => {
  test('are one a platform and device, each with a digest, a size, and the tags of its file', () => {
    const keys = WHEELS.map(({ platform, device }) => `${platform} ${device}`);
    assert.deepEqual(keys, ['linux-x64 cpu', 'linux-arm64 cpu', 'darwin-arm64 cpu', 'linux-x64 gpu']);
    for (const wheel of WHEELS)
      for (const { requirement, file, sha256, bytes, pipPlatform } of allWheels(wheel)) {
        const [name = '', version = ''] = requirement.split('==');
        assert.ok(file.startsWith(`${name.replaceAll('-', '_')}-${version}-`), file);
        assert.ok(file.endsWith(`${pipPlatform}.whl`), file);
        assert.match(sha256, /^[0-9a-f]{64}$/);
        assert.ok(bytes > 1e6);
      }
    assert.equal(new Set(WHEELS.flatMap(allWheels).map(({ sha256 }) => sha256)).size, WHEELS.length + 12);
  });

  test('of CUDA are what TensorFlow names as its extra, within its bounds', () => {
    const versions = new Map(
      CUDA_WHEELS.map(({ requirement }) => requirement.split('==') as [string, string]),
    );
    const bounds: Readonly<Record<string, readonly [lowest: string, below: string]>> = {
      'nvidia-cublas-cu12': ['12.5', '13.0'],
      'nvidia-cuda-cupti-cu12': ['12.5', '13.0'],
      'nvidia-cuda-nvcc-cu12': ['12.5', '13.0'],
      'nvidia-cuda-nvrtc-cu12': ['12.5', '13.0'],
      'nvidia-cuda-runtime-cu12': ['12.5', '13.0'],
      'nvidia-cudnn-cu12': ['9.3', '10.0'],
      'nvidia-cufft-cu12': ['11.2', '12.0'],
      'nvidia-curand-cu12': ['10.3', '11.0'],
      'nvidia-cusolver-cu12': ['11.6', '12.0'],
      'nvidia-cusparse-cu12': ['12.5', '13.0'],
      'nvidia-nccl-cu12': ['2.27', '3.0'],
      'nvidia-nvjitlink-cu12': ['12.5', '13.0'],
    };
    assert.deepEqual([...versions.keys()].sort(), Object.keys(bounds));
    for (const [name, [lowest, below]] of Object.entries(bounds)) {
      const version = versions.get(name) ?? '';
      assert.ok(!isOlder(version, lowest) && isOlder(version, below), `${name} ${version}`);
    }
  });

  test('are fetched by a command that frees them from the local Python', () => {
    const wheel = wheelFor('darwin-arm64');
    assert.ok(wheel);
    assert.equal(
      pipCommand(wheel),
      'pip download --no-deps --only-binary=:all: --python-version 311 --platform macosx_12_0_arm64 tensorflow==2.21.0',
    );
  });
});

describe('requireWheel', () => {
  const fails = (device: 'cpu' | 'gpu', on: Machine, text: RegExp): void =>
    assert.throws(
      () => requireWheel(device, on),
      (error) => isSoftshardError(error, 'E_ENGINE_INSTALL') && text.test(error.message),
    );

  test('knows platforms, C libraries, macOS and GPUs', () => {
    assert.match(requireWheel('cpu', machine('linux-x64')).file, /^tensorflow_cpu-.*_x86_64\.whl$/);
    assert.match(requireWheel('gpu', machine('linux-x64')).file, /^tensorflow-.*_x86_64\.whl$/);
    assert.match(requireWheel('cpu', machine('linux-arm64')).file, /^tensorflow-.*_aarch64\.whl$/);
    assert.match(requireWheel('cpu', machine('darwin-arm64')).file, /^tensorflow-.*macosx_12_0_arm64\.whl$/);
    assert.ok(requireWheel('cpu', machine('linux-x64', { glibc: '2.27' })));
    assert.ok(requireWheel('cpu', machine('linux-x64', { glibc: '3.0' })));
    assert.ok(requireWheel('cpu', machine('darwin-arm64', { release: '21.0.0' })));
    fails('cpu', machine('linux-x64', { glibc: '2.9' }), /needs glibc 2\.27[^]*glibc 2\.9/);
    fails('cpu', machine('linux-x64', { glibc: null }), /another C library/);
    fails('cpu', machine('darwin-arm64', { release: '20.6.0' }), /needs macOS 12\.0[^]*macOS 11\.0/);
    fails('cpu', machine('darwin-x64'), /no native engine for this platform[^]*darwin-x64/);
    fails('gpu', machine('win32-x64'), /no native engine for this platform/);
    fails('gpu', machine('linux-arm64'), /no GPU build for this platform[^]*leave --device away/);
  });
});

describe('the binding', () => {
  const source = {
    packageFolder: '/p/@tensorflow/tfjs-node-gpu',
    folder: '/b',
    version: '4.22.0',
    sha256: '',
  };

  test('is linked on Linux to libraries beside itself', () => {
    const args = compilerArguments({ source, folder: '/e', nativeOps: undefined }, 'linux');
    assert.deepEqual(args.slice(-7), [
      ...['-o', '/e/tfjs_binding.node', '-L/e/lib', '-ltensorflow', '-ltensorflow_framework'],
      ...['-shared', '-Wl,-rpath,$ORIGIN/lib'],
    ]);
    assert.ok(args.includes('-I/e/include') && args.includes('-I/p/@tensorflow'));
    assert.deepEqual(libraryLayout('linux').links[0], ['libtensorflow.so', 'libtensorflow_cc.so.2']);
  });

  test('is a bundle on macOS, whose own symbols Node brings', () => {
    const args = compilerArguments({ source, folder: '/e', nativeOps: undefined }, 'darwin');
    assert.deepEqual(args.slice(-4), [
      ...['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/lib'],
    ]);
    assert.ok(!args.includes('-shared'));
    assert.deepEqual(libraryLayout('darwin').libraries, [
      ...['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
    ]);
  });
});

describe('findGpu', () => {
  const probe = (files: Readonly<Record<string, string>>) => ({
    exists: (path: string) => path in files,
    read: (path: string) => files[path],
  });
  const node = { '/dev/nvidiactl': '' };
  const driver = (version: string) =>
    probe({
      ...node,
      '/proc/driver/nvidia/version': `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Fri\nGCC version: gcc 12.2`,
    });

  test('finds a driver new enough that the environment does not hide', () => {
    assert.deepEqual(findGpu({}, driver('550.54.15')), { driver: '550.54' });
    assert.deepEqual(findGpu({ CUDA_VISIBLE_DEVICES: '0,1' }, driver('525.60.13')), { driver: '525.60' });
    const open = probe({
      ...node,
      '/proc/driver/nvidia/version':
        'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release',
    });
    assert.deepEqual(findGpu({}, open), { driver: '570.86' });
    assert.ok(hasGpu(findGpu({}, probe(node))));
    assert.ok(hasGpu(findGpu({}, probe({ '/dev/dxg': '', '/usr/lib/wsl/lib/libcuda.so.1': '' }))));
  });

  test('says why there is none', () => {
    const reason = (found: ReturnType<typeof findGpu>): string => ('missing' in found ? found.missing : '');
    assert.match(reason(findGpu({}, probe({}))), /no NVIDIA driver/);
    assert.match(reason(findGpu({}, driver('470.223.02'))), /470\.223 is older than 525\.60/);
    for (const hidden of ['', '-1'])
      assert.match(reason(findGpu({ CUDA_VISIBLE_DEVICES: hidden }, driver('550.54'))), /hides every GPU/);
  });
});

describe('the plan', () => {
  const none = { missing: 'there is no NVIDIA driver (/dev/nvidiactl)' };

  test('of a GPU engine says sizes, place, and that no GPU is there', () => {
    const wheel = wheelFor('linux-x64', 'gpu');
    assert.ok(wheel);
    const { download, installed } = wheelSizes(wheel);
    assert.ok(download > 3.3e9 && download < 3.5e9 && installed > 5.6e9 && installed < 5.8e9);
    const plan = installPlan(wheel, true);
    assert.ok(plan.freeBytes > installed && plan.freeBytes < installed + download);
    assert.deepEqual(planLines(plan, '/e', none), [
      'native engine for the GPU: TensorFlow 2.21.0, CUDA 12 in 12 wheels, 3.4 GB to download, 5.7 GB on disk, in /e',
      'no GPU can be used here now: there is no NVIDIA driver (/dev/nvidiactl). The engine will compute on the CPU until a driver 525.60 or newer shows one.',
    ]);
    assert.equal(planLines(plan, '/e', { driver: '550.54' }).length, 1);
  });

  test('of a CPU engine names the other where a GPU is', () => {
    const wheel = wheelFor('linux-x64');
    assert.ok(wheel);
    const plan = installPlan(wheel, false);
    assert.deepEqual(planLines(plan, '/e', none), [
      'native engine for the CPU: TensorFlow 2.21.0, 854 MB on disk, in /e',
    ]);
    assert.match(planLines(plan, '/e', { driver: '550.54' })[1] ?? '', /--device gpu/);
  });
});
