/** Brings the wheel to this machine, and proves that it is the pinned one. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SoftshardError, reasonOf } from '../../errors.ts';
import { cannotInstall } from './requirements.ts';
import { lastLines, runCommand } from './run-command.ts';
import { pipCommand, type PinnedWheel } from './pinned-wheel.ts';

/** Throws E_ENGINE_INSTALL when a file is not the pinned wheel, E_FILE when it cannot be read. */
export const verifyWheel = async (path: string, wheel: PinnedWheel, signal?: AbortSignal): Promise<void> => {
  const hash = createHash('sha256');
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      hash,
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new SoftshardError('E_FILE', {
      message: 'The wheel cannot be read.',
      where: path,
      found: reasonOf(error),
      remedy: 'Check the path given with --from.',
      cause: error,
    });
  }
  const digest = hash.digest('hex');
  if (digest === wheel.sha256) return;
  throw new SoftshardError('E_ENGINE_INSTALL', {
    message: 'The wheel is not the one that this version was made for.',
    where: path,
    expected: `${wheel.file}, sha256 ${wheel.sha256}`,
    found: `sha256 ${digest}`,
    remedy: `Fetch it with: ${pipCommand(wheel)}`,
  });
};

/** Bytes of all files below a folder that pip has written so far. */
const bytesBelow = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) =>
        sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );

export interface DownloadOptions {
  readonly python: string;
  /** Folder for everything that pip writes, removed by the caller. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: string;
  readonly onMessage: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Downloads the wheel with pip (its configuration, proxies and mirrors apply) and returns its path. */
export const downloadWheel = async (wheel: PinnedWheel, options: DownloadOptions): Promise<string> => {
  const { folder, onMessage, signal } = options;
  const scratch = join(folder, 'pip');
  mkdirSync(scratch, { recursive: true });
  const args = ['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--only-binary=:all:'];
  args.push('--progress-bar', 'off', '--disable-pip-version-check', '--dest', folder);
  args.push('--python-version', wheel.pipPython, '--platform', wheel.pipPlatform, wheel.requirement);
  let tenths = 0;
  const watch = setInterval(() => {
    const share = Math.floor((10 * bytesBelow(scratch)) / wheel.bytes);
    if (share > tenths && share < 10) onMessage(`downloaded ${share * 10} % of ${wheel.requirement}`);
    tenths = Math.max(tenths, share);
  }, 1000);
  try {
    const { code, output } = await runCommand(options.python, args, {
      log: options.log,
      environment: { ...options.environment, TMPDIR: scratch },
      ...(signal === undefined ? {} : { signal }),
    });
    signal?.throwIfAborted();
    if (code !== 0)
      throw cannotInstall(
        `pip could not download ${wheel.requirement}.`,
        'Check the network and pip’s configuration, or fetch the wheel elsewhere and pass --from FILE.',
        lastLines(output, 2),
      );
  } finally {
    clearInterval(watch);
  }
  return join(folder, wheel.file);
};
