/** The kernel package where npm dropped the optional dependency: fetched, checked and loaded from Softshard's home. */
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSoftshardError, type SoftshardError } from '../../src/errors.ts';
import { fetchKernels, type FetchKernelsOptions } from '../../src/engine/install/fetch-kernels.ts';
import { findNativeEngine, isFound } from '../../src/engine/install/native-engine.ts';
import {
  findKernelPackage,
  KERNEL_DEPENDENCIES,
  KERNEL_PACKAGE,
  kernelFolder,
} from '../../src/engine/install/kernel-package.ts';
import { scriptCommand } from '../../src/flow/script-path.ts';

const root = mkdtempSync(join(tmpdir(), 'softshard-kernels-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A module outside any project: no node_modules is above it. */
const elsewhere = pathToFileURL(join(root, 'elsewhere.js')).href;

const options = (more: Partial<FetchKernelsOptions> = {}): FetchKernelsOptions => {
  const home = mkdtempSync(join(root, 'home-'));
  return { home, environment: process.env, log: join(home, 'log'), onMessage: () => undefined, ...more };
};

/** An environment whose npm is the given shell script. */
const withNpm = (script: string): { PATH: string } => {
  const folder = mkdtempSync(join(root, 'bin-'));
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'npm'), 0o755);
  return { PATH: `${folder}:/usr/bin:/bin` };
};

const failure = async (given: FetchKernelsOptions): Promise<SoftshardError> => {
  const error: unknown = await fetchKernels(given).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isSoftshardError(error), String(error));
  assert.equal(findKernelPackage(given.home, elsewhere), undefined);
  if (existsSync(join(given.home, 'kernels'))) assert.deepEqual(readdirSync(join(given.home, 'kernels')), []);
  return error;
};

/** The pinned tarballs from npm, or why they cannot be had. */
const fetched = ((): { files: string[] } | { skip: string } => {
  const specifiers = [KERNEL_PACKAGE, ...KERNEL_DEPENDENCIES].map(
    ({ name, version }) => `${name}@${version}`,
  );
  const { status } = spawnSync(
    'npm',
    ['pack', ...specifiers, '--ignore-scripts', '--silent', '--prefer-offline'],
    { cwd: root, timeout: 60_000 },
  );
  return status === 0
    ? {
        files: readdirSync(root)
          .filter((name) => name.endsWith('.tgz'))
          .map((name) => join(root, name)),
      }
    : { skip: 'npm cannot fetch the kernel package here' };
})();
const skip = 'skip' in fetched ? fetched.skip : false;
const files = 'files' in fetched ? fetched.files : [];

describe('fetchKernels', () => {
  test('what is missing or wrong has one clear line, and nothing is left', async () => {
    assert.match(
      (await failure(options({ environment: { PATH: '' } }))).message,
      /There is no npm[^]*npm pack/,
    );
    assert.match(
      (await failure(options({ environment: withNpm('echo E404 >&2; exit 1') }))).message,
      /npm could not fetch @tensorflow\/tfjs-node-gpu@4\.22\.0[^]*E404/,
    );
    assert.match((await failure(options({ offline: true }))).message, /SOFTSHARD_OFFLINE[^]*--kernels FILE/);
    const another = withNpm('while [ "$1" != --pack-destination ]; do shift; done; echo x > "$2/a.tgz"');
    const error = await failure(options({ environment: another }));
    assert.equal(error.code, 'E_ENGINE_INSTALL');
    assert.match(
      error.message,
      /is not the @tensorflow\/tfjs-node-gpu@4\.22\.0[^]*expected: sha512-p\/\/NN6/,
    );
    const foreign = join(root, 'foreign.txt');
    writeFileSync(foreign, 'x');
    assert.match((await failure(options({ files: [foreign] }))).message, /none of the packages/);
    assert.equal((await failure(options({ files: [join(root, 'none')] }))).code, 'E_FILE');
  });

  test('given as files, it needs no network; a second call does nothing', { skip }, async () => {
    const given = options({ files, offline: true });
    await fetchKernels(given);
    const own = findKernelPackage(given.home, elsewhere);
    assert.ok(own !== undefined);
    assert.ok(own.startsWith(kernelFolder(given.home)));
    await fetchKernels({ ...given, files: [], environment: { PATH: '' } });
    assert.deepEqual(readdirSync(join(given.home, 'kernels')), ['tfjs-node-gpu-4.22.0']);

    const engine = findNativeEngine();
    if (!isFound(engine)) return;
    // The copy's kernels run over this process's TensorFlow.js, which is nowhere near it.
    const { file, nodeArguments } = scriptCommand('src/engine/install/self-test-main');
    const output = execFileSync(process.execPath, [...nodeArguments, file, engine.bindingPath, own], {
      encoding: 'utf8',
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    });
    assert.match(output, /"tensorflow":"2\.21\.0"/);
  });

  test('comes through npm', { skip }, async () => {
    const lines: string[] = [];
    const given = options({ onMessage: (line) => lines.push(line) });
    await fetchKernels(given);
    assert.ok(findKernelPackage(given.home, elsewhere) !== undefined);
    assert.match(lines.join(), /^fetching @tensorflow\/tfjs-node-gpu@4\.22\.0 and google-protobuf@3\.21\.4/);
  });
});
