/** What an installation needs from the machine. Each thing that is missing has one clear line. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { SoftshardError } from '../../errors.ts';
import { runCommand } from './run-command.ts';
import { isOlder } from './version-order.ts';
import { wheelFor, type EngineDevice, type Wheel } from './wheels.ts';

/** An installation that cannot go on, with what to do. */
export const cannotInstall = (message: string, remedy: string, found?: string): SoftshardError =>
  new SoftshardError('E_ENGINE_INSTALL', {
    message,
    remedy,
    ...(found === undefined ? {} : { found }),
  });

type Environment = Readonly<Record<string, string | undefined>>;

/** Absolute path of an executable on PATH, or undefined. */
export const findOnPath = (name: string, environment: Environment): string | undefined =>
  (environment['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

const reportHeader = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

/** glibc's version (`2.36`), or undefined on another C library. */
export const glibcVersion = (): string | undefined =>
  reportHeader.safeParse(process.report.getReport()).data?.header.glibcVersionRuntime;

/** The machine that an engine is to run on. */
export interface Machine {
  /** `process.platform`-`process.arch`. */
  readonly platform: string;
  /** Version of glibc; null for another C library. */
  readonly glibc: string | null;
  /** Version of macOS's kernel (`os.release()`); only looked at there. */
  readonly release: string;
}

const thisMachine = (): Machine => ({
  platform: `${process.platform}-${process.arch}`,
  glibc: glibcVersion() ?? null,
  release: release(),
});

const WITHOUT = 'Use --engine wasm, which needs no installation.';

/** macOS's version of a kernel: Darwin 21 is macOS 12. */
const macosVersion = (kernel: string): string => `${Number(kernel.split('.')[0]) - 9}.0`;

/** The wheel for a device on a machine, this one by default. Throws E_ENGINE_INSTALL where there is none. */
export const requireWheel = (device: EngineDevice = 'cpu', machine: Machine = thisMachine()): Wheel => {
  const { platform, glibc } = machine;
  const wheel = wheelFor(platform, device);
  if (wheel === undefined)
    throw wheelFor(platform) === undefined
      ? cannotInstall('There is no native engine for this platform.', WITHOUT, platform)
      : cannotInstall(
          'TensorFlow has no GPU build for this platform.',
          'Install the engine for the CPU: leave --device away.',
          platform,
        );
  if (wheel.glibc !== null && (glibc === null || isOlder(glibc, wheel.glibc)))
    throw cannotInstall(
      `TensorFlow ${wheel.tensorflow} needs glibc ${wheel.glibc} or newer.`,
      WITHOUT,
      glibc === null ? 'another C library' : `glibc ${glibc}`,
    );
  if (wheel.macos !== null && isOlder(macosVersion(machine.release), wheel.macos))
    throw cannotInstall(
      `TensorFlow ${wheel.tensorflow} needs macOS ${wheel.macos} or newer.`,
      WITHOUT,
      `macOS ${macosVersion(machine.release)}`,
    );
  return wheel;
};

/** Path of a C++ compiler: `CXX`, else g++, c++ or clang++. Throws E_ENGINE_INSTALL without one. */
export const requireCompiler = (environment: Environment): string => {
  const own = environment['CXX'];
  const names = own === undefined || own === '' ? ['g++', 'c++', 'clang++'] : [own];
  for (const name of names) {
    const path = name.includes('/') ? name : findOnPath(name, environment);
    if (path !== undefined && existsSync(path)) return path;
  }
  throw cannotInstall(
    `There is no C++ compiler (looked for ${names.join(', ')}).`,
    'Install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install), or use --engine wasm.',
  );
};

/** Path of a Python 3 that has pip. Throws E_ENGINE_INSTALL without one. */
export const requirePip = async (environment: Environment, signal?: AbortSignal): Promise<string> => {
  const python = findOnPath('python3', environment);
  const remedy =
    'Install it (Debian, Ubuntu: apt install python3-pip), fetch the wheel elsewhere and pass --from FILE, or use --engine wasm.';
  if (python === undefined) throw cannotInstall('There is no python3, whose pip fetches TensorFlow.', remedy);
  const { code } = await runCommand(python, ['-m', 'pip', '--version'], {
    environment,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code !== 0) throw cannotInstall('python3 has no pip, which fetches TensorFlow.', remedy);
  return python;
};

/** Bytes an unprivileged user may still write where `path` is or will be. */
export const freeBytes = (path: string): number => {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
};

/** Throws E_DISK_FULL when fewer than `bytes` are free at `path`. */
export const requireSpace = (path: string, bytes: number): void => {
  const free = freeBytes(path);
  if (free < bytes)
    throw new SoftshardError('E_DISK_FULL', {
      message: 'There is not enough free space for the native engine.',
      where: path,
      expected: `${Math.ceil(bytes / 1e6)} MB`,
      found: `${Math.floor(free / 1e6)} MB`,
      remedy: 'Free some space, choose another place with --home or SOFTSHARD_HOME, or use --engine wasm.',
    });
};
