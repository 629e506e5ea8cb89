/**
 * One writer a cache: an entry in the `writers` folder of the cache's local folder, named after the process. Whoever
 * wants to write adds its own entry first and looks at the others afterwards, so two can never both hold the lock.
 */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SoftshardError } from '../errors.ts';
import { fileError } from '../flow/file-error.ts';
import { isAlive, processIdentity } from '../flow/process-identity.ts';

/** A held lock. */
export interface WriterLock {
  /** Stale entries of dead processes that were taken over. */
  readonly takenOver: readonly string[];
  /** Gives the lock back; further calls do nothing. */
  release(): Promise<void>;
}

/** Which set of process numbers a pid belongs to: containers that share a folder have their own. */
const pidNamespace = (): string => {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
};

const hostDigest = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

const SEPARATOR = '_';

/** An entry's name: everything needed to judge it, so that it appears whole or not at all. */
function ownEntry(count: number): string {
  const { pid, boot, started } = processIdentity();
  return [pid, count, started, boot, pidNamespace(), hostDigest()].join(SEPARATOR);
}

/** Whether the process of an entry lives, as far as can be told; who cannot be judged is taken to live. */
function mayLive(entry: string): boolean {
  const [pid, , started, boot, namespace, host] = entry.split(SEPARATOR);
  if (started === undefined || boot === undefined) return true;
  const sameHost = host === hostDigest();
  const sameBoot = boot === processIdentity().boot;
  if (!sameBoot) return !sameHost; // another machine, or this one before it was booted anew
  if (namespace !== pidNamespace() || (boot === '' && !sameHost)) return true;
  return isAlive({ pid: Number(pid), boot, started });
}

const held = (folder: string, entry: string): SoftshardError =>
  new SoftshardError('E_CACHE_LOCKED', {
    message: 'Another process is writing this cache.',
    found: `process ${entry.split(SEPARATOR)[0] ?? entry}`,
    where: join(folder, entry),
    remedy:
      'Wait until it has ended. If you know that it is dead (on another machine or in another container, which cannot be told from here), remove that file.',
  });

let count = 0;

/** How often two that saw each other try anew, and the unit of their unequal waits. */
const ATTEMPTS = 4;
const WAIT_MS = 15;

/**
 * Takes the lock of the cache whose local folder is `localDir` (made when missing). Entries of dead processes are
 * removed. Throws E_CACHE_LOCKED naming the live holder.
 */
export async function lockWriter(localDir: string): Promise<WriterLock> {
  const folder = join(localDir, 'writers');
  for (let attempt = 1; ; attempt++) {
    const entry = ownEntry(count++);
    try {
      await mkdir(folder, { recursive: true });
      await (await open(join(folder, entry), 'wx')).close();
      const others = (await readdir(folder)).filter((name) => name !== entry);
      const living = others.find(mayLive);
      if (living === undefined) {
        for (const stale of others) await unlink(join(folder, stale)).catch(() => undefined);
        return {
          takenOver: others,
          release: async () => unlink(join(folder, entry)).catch(() => undefined),
        };
      }
      await unlink(join(folder, entry));
      if (attempt === ATTEMPTS) throw held(folder, living);
    } catch (error) {
      throw fileError(error, folder, 'written');
    }
    await sleep(WAIT_MS * attempt * (1 + (process.pid % 5)));
  }
}
