/** One installation at a time in a home: a second process waits for the first. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive, processIdentity, type ProcessIdentity } from '../../flow/process-identity.ts';

const holderSchema = z.object({ pid: z.number(), boot: z.string(), started: z.string() });

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const readHolder = (lock: string): ProcessIdentity | undefined => {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(lock, 'utf8')));
  } catch {
    return undefined;
  }
};

/** Links a complete file into place, so that nobody ever reads a lock without its holder. */
const tryTake = (lock: string, own: string): boolean => {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
};

/** Moves a dead process's lock aside; when it was replaced meanwhile, the new one is put back. */
const breakStale = (lock: string, own: string): void => {
  const aside = `${own}.stale`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && isAlive(moved)) tryTake(lock, aside);
  rmSync(aside, { force: true });
};

/** Tells calls of one process apart. */
let calls = 0;

export interface LockOptions {
  /** Called once, when another live process holds the lock. */
  readonly onWait?: (holder: ProcessIdentity) => void;
  readonly signal?: AbortSignal;
  /** Time between two looks at a held lock, milliseconds; 500 by default. */
  readonly pollMs?: number;
}

/**
 * Runs `work` while holding `folder`'s lock. The folder must exist. A lock whose process has ended is broken.
 *
 * @throws What `work` throws; the signal's reason when waiting is aborted.
 */
export const withInstallLock = async <T>(
  folder: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> => {
  const lock = join(folder, '.lock');
  const own = join(folder, `.lock-${process.pid}-${calls++}`);
  writeFileSync(own, JSON.stringify(processIdentity()));
  let waiting = false;
  try {
    while (!tryTake(lock, own)) {
      const holder = readHolder(lock);
      if (holder === undefined || !isAlive(holder)) {
        breakStale(lock, own);
        continue;
      }
      if (!waiting) options.onWait?.(holder);
      waiting = true;
      await sleep(
        options.pollMs ?? 500,
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      );
    }
  } finally {
    rmSync(own, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
};
