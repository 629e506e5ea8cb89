/** Installs the native engine: fetch, verify, unpack, compile, test, and only then show it under its name. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SoftshardError } from '../../errors.ts';
import { findBindingSource } from './binding-source.ts';
import { buildBinding, type BindingWork } from './build-binding.ts';
import { findGpu } from './gpu-device.ts';
import { enginesFolder } from './home.ts';
import { withInstallLock } from './install-lock.ts';
import { installPlan, planLines, sizeText } from './install-plan.ts';
import { engineName, isFound, readEngine, type NativeEngine } from './native-engine.ts';
import { provideSource } from './provide-source.ts';
import { provideWheels } from './provide-wheels.ts';
import { cannotInstall, requireCompiler, requireSpace, requireWheel } from './requirements.ts';
import { freshTemporary } from './temporary-folder.ts';
import { unpackCudaWheel, unpackWheel } from './unpack-wheel.ts';
import type { EngineDevice, Wheel } from './wheels.ts';
import { syncPath, writeEngineRecord } from './write-engine-record.ts';

export interface InstallOptions {
  /** Softshard's home folder. */
  readonly home: string;
  /** What the engine is to compute on; `cpu` by default. */
  readonly device?: EngineDevice;
  /** What to install; by default the wheel pinned for this platform and device. */
  readonly wheel?: Wheel;
  /** A wheel that is already on this machine, or a folder with it and its companions; nothing is downloaded then. */
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

const build = async (work: Work, options: InstallOptions, temporary: string): Promise<void> => {
  const { wheel, say, log, environment, folder, source, compiler } = work;
  const { signal } = options;
  const providing = { ...{ temporary, log, environment, say, signal }, given: options.wheelFile };
  for await (const { pinned, path } of provideWheels(wheel, providing)) {
    say(`unpacking ${sizeText(pinned.unpackedBytes)}`);
    await (pinned === wheel ? unpackWheel : unpackCudaWheel)(path, folder, signal);
  }
  const nativeOps = await buildBinding(work, signal);
  rmSync(join(folder, 'include'), { recursive: true });
  writeEngineRecord({ wheel, source, compiler, nativeOps, folder });
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

const checkDownload = (options: InstallOptions, wheel: Wheel): void => {
  if (options.wheelFile !== undefined || options.offline !== true) return;
  throw cannotInstall(
    `TensorFlow ${wheel.tensorflow} is not installed, and SOFTSHARD_OFFLINE forbids the download.`,
    `Pass ${wheel.companions.length === 0 ? `the wheel (${wheel.file}) with --from FILE` : `the folder with ${wheel.file} and NVIDIA's wheels with --from DIR`}, unset SOFTSHARD_OFFLINE, or use --engine wasm.`,
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
  const wheel = options.wheel ?? requireWheel(options.device);
  if (findBindingSource(home) === undefined) checkDownload(options, wheel);
  const source = await provideSource({
    ...{ home, environment, say, signal },
    kernelFiles: options.kernelFiles ?? [],
    offline: options.offline ?? false,
  });
  const name = engineName(wheel, source);
  const before = readEngine(home, name);
  if (isFound(before)) return { engine: before, state: 'found' };
  checkDownload(options, wheel);
  const compiler = requireCompiler(environment);
  const engines = enginesFolder(home);
  const plan = installPlan(wheel, options.wheelFile === undefined);
  for (const line of planLines(plan, join(engines, name), findGpu(environment))) say(line);
  requireSpace(home, plan.freeBytes);
  mkdirSync(join(home, 'logs'), { recursive: true });
  mkdirSync(engines, { recursive: true });

  const work = async (): Promise<InstallResult> => {
    const meanwhile = readEngine(home, name);
    if (isFound(meanwhile)) return { engine: meanwhile, state: 'found' };
    const temporary = freshTemporary(engines);
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
