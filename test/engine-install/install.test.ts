import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError, type SoftshardError } from '../../src/errors.ts';
import { ensureNativeEngine, isOffline } from '../../src/engine/install/ensure-engine.ts';
import { verifyWheel } from '../../src/engine/install/fetch-wheel.ts';
import { enginesFolder } from '../../src/engine/install/home.ts';
import { installEngine } from '../../src/engine/install/install-engine.ts';
import { findNativeEngine, isFound } from '../../src/engine/install/native-engine.ts';
import { unpackWheel } from '../../src/engine/install/unpack-wheel.ts';
import { WHEELS, type Wheel } from '../../src/engine/install/wheels.ts';
import { tinyZip } from './tiny-zip.ts';

const root = mkdtempSync(join(tmpdir(), 'softshard-engine-'));
after(() => rmSync(root, { recursive: true, force: true }));
const freshHome = (): string => mkdtempSync(join(root, 'home-'));

const zip = tinyZip({
  'tensorflow/libtensorflow_cc.so.2': 'not a library',
  'tensorflow/libtensorflow_framework.so.2': 'neither',
  'tensorflow/THIRD_PARTY_NOTICES.txt': 'notices',
  'tensorflow/include/LICENSE': 'licence',
  'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
  'tensorflow/include/tensorflow/core/graph.h': 'not wanted',
  'tensorflow/python/big.so': 'not wanted',
});
const wheelFile = join(root, 'tiny.whl');
writeFileSync(wheelFile, zip);
const [pinned] = WHEELS;
assert.ok(pinned);
const wheel: Wheel = {
  ...pinned,
  file: 'tiny.whl',
  bytes: zip.length,
  sha256: createHash('sha256').update(zip).digest('hex'),
  unpackedBytes: 1000,
};

/** A folder of programs, to stand in PATH before the others. */
const programs = (scripts: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(root, 'bin-'));
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
};
const path = (folder: string): { PATH: string } => ({ PATH: `${folder}:/usr/bin:/bin` });

const failure = async (promise: Promise<unknown>): Promise<SoftshardError> => {
  try {
    await promise;
  } catch (error) {
    assert.ok(isSoftshardError(error), String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
};

/** Nothing but the log is left of an installation. */
const assertClean = (home: string): void => assert.deepEqual(readdirSync(enginesFolder(home)), []);

const skip = WHEELS.some(({ platform }) => platform === `${process.platform}-${process.arch}`)
  ? false
  : 'no wheel for this platform';

describe('installEngine', { skip }, () => {
  test('a file that is not the pinned wheel is refused, and nothing is left', async () => {
    const home = freshHome();
    const error = await failure(
      installEngine({ home, wheelFile, environment: path(programs({ 'g++': '' })) }),
    );
    assert.equal(error.code, 'E_ENGINE_INSTALL');
    assert.match(error.message, /is not the one[^]*pip download/);
    assertClean(home);
    const gone = await failure(verifyWheel(join(root, 'none.whl'), wheel));
    assert.equal(gone.code, 'E_FILE');
  });

  test('a compiler that fails is told with its words and the log', async () => {
    const home = freshHome();
    const environment = path(programs({ 'g++': 'echo no such standard; exit 1' }));
    const error = await failure(installEngine({ home, wheel, wheelFile, environment }));
    assert.match(error.message, /does not compile[^]*log: .*engine-install\.log[^]*no such standard/);
    assert.match(
      readFileSync(join(home, 'logs', 'engine-install.log'), 'utf8'),
      /-std=c\+\+17[^]*no such standard/,
    );
    assertClean(home);
  });

  test('an engine that does not load does not appear', async () => {
    const home = freshHome();
    const compiler = programs({
      'g++': 'while [ "$1" != -o ]; do shift; done; echo broken > "$2"',
    });
    const error = await failure(installEngine({ home, wheel, wheelFile, environment: path(compiler) }));
    assert.match(error.message, /does not pass its self-test/);
    assertClean(home);
  });

  test('an abort while compiling leaves nothing, nor do leftovers of a killed one stay', async () => {
    const home = freshHome();
    const engines = enginesFolder(home);
    mkdirSync(join(engines, '.tmp-1', 'engine'), { recursive: true });
    writeFileSync(join(engines, '.lock'), JSON.stringify({ pid: 1, boot: 'another', started: '0' }));
    const controller = new AbortController();
    await assert.rejects(
      installEngine({
        ...{ home, wheel, wheelFile, environment: path(programs({ 'g++': 'exec sleep 60' })) },
        signal: controller.signal,
        onMessage: (line) => {
          if (line.startsWith('compiling')) setTimeout(() => controller.abort(), 100);
        },
      }),
    );
    assert.ok(controller.signal.aborted);
    assertClean(home);
  });

  test('downloads with pip, and says size and place before', async () => {
    const home = freshHome();
    const python = `case "$*" in *--version*) exit 0;; esac
while [ "$1" != --dest ]; do shift; done
cp "$WHEEL" "$2/tiny.whl"`;
    const environment = {
      ...path(programs({ python3: python, 'g++': 'exit 1' })),
      WHEEL: wheelFile,
    };
    const lines: string[] = [];
    const error = await failure(
      installEngine({ home, wheel, environment, onMessage: (line) => lines.push(line) }),
    );
    assert.match(error.message, /does not compile/);
    assert.match(lines[0] ?? '', /TensorFlow 2.21.0, 0 MB to download.* in .*engines\/native-cpu/);
    assert.match(lines[1] ?? '', /downloading/);
    assertClean(home);
  });

  test('what is missing has one clear line', async () => {
    const home = freshHome();
    const message = async (environment: Record<string, string>, offline = false): Promise<string> =>
      (await failure(installEngine({ home, wheel, environment, offline }))).message;
    assert.match(await message({ PATH: '' }), /no C\+\+ compiler[^]*apt install g\+\+/);
    assert.match(await message({ PATH: '', CXX: 'my-cxx' }), /looked for my-cxx/);
    assert.match(await message({ PATH: programs({ 'g++': '' }) }), /no python3[^]*--from FILE/);
    const noPip = programs({ 'g++': '', python3: 'exit 1' });
    assert.match(await message(path(noPip)), /python3 has no pip/);
    const noNet = programs({
      'g++': '',
      python3: 'case "$*" in *--version*) exit 0;; esac; echo no route to host; exit 1',
    });
    assert.match(await message(path(noNet)), /pip could not download[^]*no route to host/);
    assert.match(await message({}, true), /SOFTSHARD_OFFLINE forbids the download[^]*--from FILE/);
    const huge = { ...wheel, unpackedBytes: 2 ** 60 };
    const full = await failure(
      installEngine({ home, wheel: huge, wheelFile, environment: path(programs({ 'g++': '' })) }),
    );
    assert.equal(full.code, 'E_DISK_FULL');
  });
});

describe('unpackWheel', () => {
  test('takes what is wanted and no more', async () => {
    const folder = mkdtempSync(join(root, 'unpacked-'));
    await unpackWheel(wheelFile, folder);
    assert.deepEqual(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
      [
        'LICENSE',
        'THIRD_PARTY_NOTICES.txt',
        'c_api.h',
        'libtensorflow_cc.so.2',
        'libtensorflow_framework.so.2',
      ],
    );
    assert.equal(readFileSync(join(folder, 'LICENSE'), 'utf8'), 'licence');
  });

  test('an entry that leaves the folder is refused', async () => {
    const evil = join(root, 'evil.whl');
    writeFileSync(evil, tinyZip({ 'tensorflow/include/tensorflow/c/../../../../../out.h': 'x' }));
    const folder = mkdtempSync(join(root, 'unpacked-'));
    await assert.rejects(unpackWheel(evil, folder), /relative path/);
    assert.ok(!existsSync(join(root, 'out.h')));
  });
});

describe('ensureNativeEngine', () => {
  test('gives the reason in one line and never throws', async () => {
    const lines: string[] = [];
    const home = freshHome();
    const result = await ensureNativeEngine({
      ...{ home, environment: { SOFTSHARD_OFFLINE: '1' } },
      onMessage: (line) => lines.push(line),
    });
    assert.ok(!isFound(result));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^no native engine, going on with wasm: [^\n]+$/);
    assert.ok(!isFound(findNativeEngine(home)));
  });

  test('SOFTSHARD_OFFLINE', () => {
    assert.deepEqual(
      [undefined, '', '0', '1', 'yes'].map((value) => isOffline({ SOFTSHARD_OFFLINE: value })),
      [false, false, false, true, true],
    );
  });
});

const realWheel = process.env['SOFTSHARD_WHEEL'];
const skipLong =
  process.env['SOFTSHARD_TEST_LONG'] === undefined || realWheel === undefined
    ? 'needs SOFTSHARD_TEST_LONG and SOFTSHARD_WHEEL, the path of the pinned wheel'
    : false;

describe('a real installation', { skip: skipLong }, () => {
  test('two at once: one installs, one finds it; a third does nothing', async () => {
    const home = freshHome();
    const install = () =>
      installEngine({ home, ...(realWheel === undefined ? {} : { wheelFile: realWheel }) });
    const [a, b] = await Promise.all([install(), install()]);
    assert.deepEqual([a.state, b.state].sort(), ['found', 'installed']);
    assert.equal((await install()).state, 'found');
    assert.deepEqual(findNativeEngine(home), a.engine);
    assert.deepEqual(readdirSync(enginesFolder(home)), [a.engine.name]);
  });
});
