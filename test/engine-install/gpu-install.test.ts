/** The GPU engine with wheels of a few bytes: everything up to the point where a device is needed. */
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import { findBindingSource } from '../../src/engine/install/binding-source.ts';
import { engineName, findNativeEngine, isFound, readEngine } from '../../src/engine/install/native-engine.ts';
import { installEngine } from '../../src/engine/install/install-engine.ts';
import type { PinnedWheel } from '../../src/engine/install/pinned-wheel.ts';
import { provideWheels } from '../../src/engine/install/provide-wheels.ts';
import { enginesFolder } from '../../src/engine/install/home.ts';
import { unpackCudaWheel, unpackWheel } from '../../src/engine/install/unpack-wheel.ts';
import { wheelFor, type Wheel } from '../../src/engine/install/wheels.ts';
import { writeEngineRecord } from '../../src/engine/install/write-engine-record.ts';
import { tinyZip } from './tiny-zip.ts';

const root = mkdtempSync(join(tmpdir(), 'softshard-gpu-'));
after(() => rmSync(root, { recursive: true, force: true }));

const gpu = wheelFor('linux-x64', 'gpu');
assert.ok(gpu);

/** A pinned wheel whose file holds the given entries, written into `folder`. */
const tiny = <W extends PinnedWheel>(wheel: W, folder: string, entries: Record<string, string>): W => {
  const zip = tinyZip(entries);
  writeFileSync(join(folder, wheel.file), zip);
  return { ...wheel, bytes: zip.length, sha256: createHash('sha256').update(zip).digest('hex') };
};

const wheels = mkdtempSync(join(root, 'wheels-'));
const companions = gpu.companions.slice(0, 2).map((each, i) =>
  tiny(
    each,
    wheels,
    i === 0
      ? {
          'nvidia/cublas/lib/libcublas.so.12': 'cublas',
          'nvidia/cublas/lib/__init__.py': 'not wanted',
          'nvidia/cublas/include/cublas.h': 'not wanted',
          'nvidia_cublas_cu12-12.dist-info/licenses/License.txt': 'terms',
        }
      : {
          'nvidia/cuda_nvcc/bin/ptxas': '#!/bin/sh',
          'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc': 'device',
          'nvidia/cuda_nvcc/include/crt/mma.h': 'not wanted',
        },
  ),
);
const wheel: Wheel = {
  ...tiny(gpu, wheels, {
    'tensorflow/libtensorflow_cc.so.2': 'cc',
    'tensorflow/libtensorflow_framework.so.2': 'framework',
    'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
  }),
  companions,
};

const provide = async (given: string): Promise<string[]> => {
  const paths: string[] = [];
  const options = { given, temporary: root, log: join(root, 'log'), environment: {}, say: () => undefined };
  for await (const { path } of provideWheels(wheel, { ...options, signal: undefined })) paths.push(path);
  return paths;
};

describe('the wheels of a GPU engine', () => {
  test('are taken from a folder, or from beside TensorFlow’s', async () => {
    const expected = [wheel, ...companions].map(({ file }) => join(wheels, file));
    assert.deepEqual(await provide(wheels), expected);
    assert.deepEqual(await provide(join(wheels, wheel.file)), expected);
  });

  test('that are missing are named with the commands that fetch them; a wrong one is refused', async () => {
    const alone = mkdtempSync(join(root, 'alone-'));
    writeFileSync(join(alone, wheel.file), readFileSync(join(wheels, wheel.file)));
    await assert.rejects(
      provide(alone),
      (error) =>
        isSoftshardError(error, 'E_ENGINE_INSTALL') &&
        /^2 of the wheels[^]*nvidia_cublas_cu12[^]*pip download .*nvidia-cublas-cu12==[^]*--from DIR/m.test(
          error.message.replace(/^.*?2 of/s, '2 of'),
        ),
    );
    for (const { file } of companions) writeFileSync(join(alone, file), 'another');
    await assert.rejects(provide(alone), /is not the one that this version was made for/);
  });

  test('unpack into the layout that TensorFlow’s run path expects, and the record covers every file', async () => {
    const source = findBindingSource();
    if (source === undefined) return;
    const home = mkdtempSync(join(root, 'home-'));
    const name = engineName(wheel, source);
    assert.match(name, /^native-gpu-tf2\.21\.0/);
    const folder = join(enginesFolder(home), name);
    await unpackWheel(join(wheels, wheel.file), folder);
    for (const { file } of companions) await unpackCudaWheel(join(wheels, file), folder);
    writeFileSync(join(folder, 'tfjs_binding.node'), 'binding');
    writeEngineRecord({ wheel, source, compiler: 'g++', nativeOps: undefined, folder });

    // From lib/libtensorflow_framework.so.2 this is $ORIGIN/../nvidia/cublas/lib.
    assert.equal(readFileSync(join(folder, 'lib/../nvidia/cublas/lib/libcublas.so.12'), 'utf8'), 'cublas');
    assert.equal(statSync(join(folder, 'nvidia/cuda_nvcc/bin/ptxas')).mode & 0o111, 0o111);
    const engine = readEngine(home, name);
    assert.ok(isFound(engine));
    assert.equal(engine.device, 'gpu');
    const { files } = JSON.parse(readFileSync(join(folder, 'engine.json'), 'utf8')) as { files: object };
    assert.deepEqual(Object.keys(files), [
      'tfjs_binding.node',
      'lib/libtensorflow_cc.so.2',
      'lib/libtensorflow_framework.so.2',
      'nvidia/cublas/lib/libcublas.so.12',
      'nvidia/cuda_nvcc/bin/ptxas',
      'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
      'nvidia/licences/nvidia_cublas_cu12-12.txt',
    ]);
    rmSync(join(folder, 'nvidia/cublas/lib/libcublas.so.12'));
    const damaged = readEngine(home, name);
    assert.ok(!isFound(damaged) && /libcublas\.so\.12 is damaged/.test(damaged.missing));
  });
});

const onLinux = process.platform === 'linux' && process.arch === 'x64' ? false : 'for linux-x64';

describe('choosing between installed engines', { skip: onLinux }, () => {
  const cpu = wheelFor('linux-x64');
  const source = findBindingSource();
  if (cpu === undefined || source === undefined) return;
  const home = mkdtempSync(join(root, 'home-'));
  const noGpu = { missing: 'no driver' };
  const device = (found: ReturnType<typeof findNativeEngine>): string =>
    isFound(found) ? found.device : found.missing;
  const place = async (each: Wheel): Promise<void> => {
    const folder = join(enginesFolder(home), engineName(each, source));
    await unpackWheel(join(wheels, wheel.file), folder);
    for (const { file } of each.companions) await unpackCudaWheel(join(wheels, file), folder);
    writeFileSync(join(folder, 'tfjs_binding.node'), 'binding');
    writeEngineRecord({ wheel: each, source, compiler: 'g++', nativeOps: undefined, folder });
  };

  test('the GPU’s where there is a GPU, else the CPU’s; one alone is used', async () => {
    assert.match(device(findNativeEngine(home, noGpu)), /no native engine is installed/);
    await place(wheel);
    assert.equal(device(findNativeEngine(home, noGpu)), 'gpu');
    await place(cpu);
    assert.equal(device(findNativeEngine(home, noGpu)), 'cpu');
    assert.equal(device(findNativeEngine(home, { driver: '550.54' })), 'gpu');
    // One that is damaged does not hide the other.
    writeFileSync(join(enginesFolder(home), engineName(cpu, source), 'tfjs_binding.node'), 'cut');
    assert.equal(device(findNativeEngine(home, noGpu)), 'gpu');
    writeFileSync(join(enginesFolder(home), engineName(wheel, source), 'tfjs_binding.node'), 'cut');
    assert.match(device(findNativeEngine(home, noGpu)), /damaged/);
  });

  test('an offline installation says what to bring', async () => {
    const fresh = mkdtempSync(join(root, 'home-'));
    await assert.rejects(
      installEngine({ home: fresh, device: 'gpu', offline: true }),
      (error) =>
        isSoftshardError(error, 'E_ENGINE_INSTALL') &&
        /SOFTSHARD_OFFLINE[^]*the folder with tensorflow-2\.21\.0[^]*--from DIR/.test(error.message),
    );
  });
});
