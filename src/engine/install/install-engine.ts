/** Installs the native engine: fetch, verify, unpack, compile, test, and only then show it under its name. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SoftshardError } from '../../errors.ts';
import { findBindingSource, type BindingSource } from './binding-source.ts';
import { buildBinding, type BindingWork } from './build-binding.ts';
import { fetchKernels } from './fetch-kernels.ts';
import { downloadWheel, verifyWheel } from './fetch-wheel.ts';
import { enginesFolder } from './home.ts';
import { withInstallLock } from './install-lock.ts';
import type { NativeOpsSource } from './native-ops-source.ts';
import { engineName, isFound, readEngine, type EngineRecord, type NativeEngine } from './native-engine.ts';
import { cannotInstall, requireCompiler, requirePip, requireSpace, requireWheel } from './requirements.ts';
import { unpackWheel } from './unpack-wheel.ts';
import type { Wheel } from './wheels.ts';

export interface InstallOptions {
  /** Softshard's home folder. */
  readonly home: string;
  /** What to install; by default the wheel pinned for this platform. */
  readonly wheel?: Wheel;
  /** A wheel that is already on this machine; nothing is downloaded then. */
  readonly wheelFile?: string;
  /** Tarballs of the kernel package and its dependency that are already on this machine. */
  readonly kernelFiles?: readonly string[];
  /** Forbids the download; false by default. */
  readonly offline?: boolean;
  /** Variables for pip and the compiler (`PATH`, `CXX`, proxies); those of this process by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Takes each line of progress. */
  readonly onMessage?: (line: string) => void;
  /** Cancels the installation; what was begun is removed. */
  readonly signal?: AbortSignal;
}

export interface InstallResult {
  readonly engine: NativeEngine;
  /** `found` when it was there before the call. */
  readonly state: 'installed' | 'found';
}

interface Work extends BindingWork {
  readonly wheel: Wheel;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const syncPath = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

const FILES = ['tfjs_binding.node', 'lib/libtensorflow_cc.so.2', 'lib/libtensorflow_framework.so.2'];

const writeRecord = (work: Work, nativeOps: NativeOpsSource | undefined): void => {
  const { wheel, source, compiler, folder } = work;
  const record: EngineRecord = {
    format: 'softshard-engine',
    major: 1,
    minor: 0,
    tensorflow: wheel.tensorflow,
    tfjs: source.version,
    device: wheel.device,
    wheel: wheel.file,
    wheelSha256: wheel.sha256,
    bindingSha256: source.sha256,
    compiler,
    ...(nativeOps === undefined ? {} : { nativeOpsSha256: nativeOps.sha256 }),
    files: Object.fromEntries(FILES.map((file) => [file, statSync(join(folder, file)).size])),
  };
  writeFileSync(join(folder, 'engine.json'), `${JSON.stringify(record, null, 2)}\n`);
  for (const file of [...FILES, 'engine.json', '.']) syncPath(join(folder, file));
};

const build = async (work: Work, options: InstallOptions, temporary: string): Promise<void> => {
  const { wheel, say, log, environment, folder } = work;
  const { signal } = options;
  const signalled = signal === undefined ? {} : { signal };
  let wheelFile = options.wheelFile;
  if (wheelFile === undefined) {
    const python = await requirePip(environment, signal);
    say(`downloading TensorFlow ${wheel.tensorflow} (${megabytes(wheel.bytes)}) to ${temporary}`);
    wheelFile = await downloadWheel(wheel, {
      ...{ python, folder: temporary, environment, log, onMessage: say },
      ...signalled,
    });
  }
  say('verifying the wheel');
  await verifyWheel(wheelFile, wheel, signal);
  say(`unpacking ${megabytes(wheel.unpackedBytes)}`);
  await unpackWheel(wheelFile, folder, signal);
  const nativeOps = await buildBinding(work, signal);
  rmSync(join(folder, 'include'), { recursive: true });
  writeRecord(work, nativeOps);
};

/** Adds the log's place to an error of the installation. */
const withLog = (error: unknown, log: string): unknown =>
  error instanceof SoftshardError && error.code === 'E_ENGINE_INSTALL'
    ? new SoftshardError(error.code, {
        ...error.detail,
        where: error.detail.where ?? `log: ${log}`,
        cause: error,
      })
    : error;

/** The binding's source; where npm dropped the optional package, a copy of it is fetched into the home first. */
const provideSource = async (
  options: InstallOptions,
  environment: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<BindingSource> => {
  const { home, signal } = options;
  const found = findBindingSource(home);
  if (found !== undefined) return found;
  const engines = enginesFolder(home);
  mkdirSync(engines, { recursive: true });
  mkdirSync(join(home, 'logs'), { recursive: true });
  const log = join(home, 'logs', 'engine-install.log');
  const signalled = signal === undefined ? {} : { signal };
  const fetching = {
    ...{ home, environment, log, onMessage: say, ...signalled },
    files: options.kernelFiles ?? [],
    offline: options.offline ?? false,
  };
  await withInstallLock(engines, () => fetchKernels(fetching), {
    ...signalled,
    onWait: (holder) => say(`waiting for the installation by process ${holder.pid}`),
  });
  const fetched = findBindingSource(home);
  if (fetched === undefined)
    throw cannotInstall('The fetched package is not found again.', `Remove ${home}/kernels and try again.`);
  return fetched;
};

const checkDownload = (options: InstallOptions, wheel: Wheel): void => {
  if (options.wheelFile !== undefined || options.offline !== true) return;
  throw cannotInstall(
    `TensorFlow ${wheel.tensorflow} is not installed, and SOFTSHARD_OFFLINE forbids the download.`,
    `Pass the wheel (${wheel.file}) with --from FILE, unset SOFTSHARD_OFFLINE, or use --engine wasm.`,
  );
};

/**
 * Installs the native engine of this machine into `home`, or finds it there. Safe side by side: a second process
 * waits for the first. Until the finished folder is renamed into place nothing of it can be found; temporary
 * folders of an interrupted installation are removed by the next.
 *
 * @throws E_ENGINE_INSTALL with one clear line for whatever is missing; E_DISK_FULL; the signal's reason.
 */
export const installEngine = async (options: InstallOptions): Promise<InstallResult> => {
  const { home, signal } = options;
  const say = options.onMessage ?? (() => undefined);
  const environment = options.environment ?? process.env;
  const wheel = options.wheel ?? requireWheel();
  if (findBindingSource(home) === undefined) checkDownload(options, wheel);
  const source = await provideSource(options, environment, say);
  const name = engineName(wheel, source);
  const before = readEngine(home, name);
  if (isFound(before)) return { engine: before, state: 'found' };
  checkDownload(options, wheel);
  const compiler = requireCompiler(environment);
  const engines = enginesFolder(home);
  const download = options.wheelFile === undefined ? wheel.bytes * 2 : 0;
  say(
    `native engine: TensorFlow ${wheel.tensorflow}, ${download === 0 ? '' : `${megabytes(wheel.bytes)} to download, `}${megabytes(wheel.unpackedBytes)} on disk, in ${join(engines, name)}`,
  );
  requireSpace(home, wheel.unpackedBytes + download);
  mkdirSync(join(home, 'logs'), { recursive: true });
  mkdirSync(engines, { recursive: true });

  const work = async (): Promise<InstallResult> => {
    const meanwhile = readEngine(home, name);
    if (isFound(meanwhile)) return { engine: meanwhile, state: 'found' };
    // Under the lock every temporary folder is a leftover.
    for (const entry of readdirSync(engines))
      if (entry.startsWith('.tmp-')) rmSync(join(engines, entry), { recursive: true, force: true });
    const temporary = join(engines, `.tmp-${process.pid}`);
    const folder = join(temporary, 'engine');
    const log = join(home, 'logs', 'engine-install.log');
    mkdirSync(folder, { recursive: true });
    writeFileSync(log, '');
    try {
      await build({ wheel, source, compiler, folder, log, environment, say }, options, temporary);
      rmSync(join(engines, name), { recursive: true, force: true });
      renameSync(folder, join(engines, name));
      syncPath(engines);
    } catch (error) {
      throw withLog(error, log);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    const engine = readEngine(home, name);
    if (!isFound(engine)) throw cannotInstall('The installed engine is not found again.', engine.missing);
    return { engine, state: 'installed' };
  };
  return withInstallLock(engines, work, {
    ...(signal === undefined ? {} : { signal }),
    onWait: (holder) => say(`waiting for the installation by process ${holder.pid}`),
  });
};
