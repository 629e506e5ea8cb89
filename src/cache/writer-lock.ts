/**
 * Who writes a cache: entries in the `writers` folder of its local folder, named after processes. Whoever wants to
 * write adds its own entry first and looks at the others afterwards, so two that exclude one another never both hold
 * the lock.
 */
import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SoftshardError } from '../errors.ts';
import { errnoOf, fileError } from '../flow/file-error.ts';
import { entryMode, entryPid, mayLive, newEntry, type LockMode } from './lock-entry.ts';

/** A held lock. */
export interface WriterLock {
  /** Stale entries of dead processes that were taken over. */
  readonly takenOver: readonly string[];
  /** Gives the lock back; further calls do nothing. */
  release(): Promise<void>;
}

const held = (folder: string, entry: string): SoftshardError =>
  new SoftshardError('E_CACHE_LOCKED', {
    message: 'Another process is writing this cache.',
    found: `process ${entryPid(entry)}`,
    where: join(folder, entry),
    remedy:
      'Wait until it has ended. If you know that it is dead (on another machine or in another container, which cannot be told from here), remove that file.',
  });

/** How often two that saw each other try anew, and the unit of their unequal waits. */
const ATTEMPTS = 4;
const WAIT_MS = 15;
/** A process that only begins or sweeps holds the lock alone for a moment; who shares waits that long, and longer. */
const JOIN_ATTEMPTS = 40;
const JOIN_WAIT_MS = 250;

const waitUnequally = (attempt: number): Promise<void> =>
  sleep(Math.min(JOIN_WAIT_MS, WAIT_MS * attempt) * (1 + (process.pid % 5) / 2));

/** Adds an entry to a folder that is made where it is missing (or was just removed). */
export async function addEntry(folder: string, entry: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(folder, { recursive: true });
    try {
      await (await open(join(folder, entry), 'wx')).close();
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Removes an entry; nothing happens when it is gone. */
export const removeEntry = async (folder: string, entry: string): Promise<void> =>
  unlink(join(folder, entry)).catch(() => undefined);

/** The entries of a folder of locks; none where there is no folder. */
export const listEntries = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
};

interface Taken {
  readonly lock?: WriterLock;
  /** Who lives and is in the way. */
  readonly living?: string;
}

/** One attempt. Entries of dead processes are removed. */
async function attemptLock(folder: string, mode: LockMode): Promise<Taken> {
  const entry = newEntry(mode);
  await addEntry(folder, entry);
  const others = (await listEntries(folder)).filter((name) => name !== entry);
  const excludes = (other: string): boolean => mode !== 'shared' || entryMode(other) !== 'shared';
  const dead: string[] = [];
  for (const other of others) {
    if (!mayLive(other)) dead.push(other);
    else if (excludes(other)) {
      await removeEntry(folder, entry);
      return { living: other };
    }
  }
  for (const stale of dead) await removeEntry(folder, stale);
  return { lock: { takenOver: dead, release: async () => removeEntry(folder, entry) } };
}

/**
 * Takes the lock of the cache whose local folder is `localDir` (made when missing), keeping out every other writer.
 * Entries of dead processes are removed. Throws E_CACHE_LOCKED naming the live holder.
 */
export async function lockWriter(
  localDir: string,
  mode: 'exclusive' | 'evict' = 'exclusive',
): Promise<WriterLock> {
  const folder = join(localDir, 'writers');
  try {
    for (let attempt = 1; ; attempt++) {
      const { lock, living = '' } = await attemptLock(folder, mode);
      if (lock !== undefined) return lock;
      if (attempt === ATTEMPTS) throw held(folder, living);
      await waitUnequally(attempt);
    }
  } catch (error) {
    throw fileError(error, folder, 'written');
  }
}

/**
 * Joins the writers that share a cache. `alone` is run first where no other writer is at work, and nobody joins before
 * it has ended. Throws E_CACHE_LOCKED while a writer that does not share goes on, and what `alone` throws.
 */
export async function joinWriters(localDir: string, alone: () => Promise<void>): Promise<WriterLock> {
  const folder = join(localDir, 'writers');
  try {
    for (let attempt = 1; ; attempt++) {
      const first = await attemptLock(folder, 'exclusive');
      if (first.lock !== undefined) {
        try {
          await alone();
          const entry = newEntry('shared');
          await addEntry(folder, entry);
          return { takenOver: first.lock.takenOver, release: async () => removeEntry(folder, entry) };
        } finally {
          await first.lock.release();
        }
      }
      const { lock, living = '' } = await attemptLock(folder, 'shared');
      if (lock !== undefined) return lock;
      if (attempt === JOIN_ATTEMPTS) throw held(folder, living);
      await waitUnequally(attempt);
    }
  } catch (error) {
    throw fileError(error, folder, 'written');
  }
}
