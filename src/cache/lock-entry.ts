/** The name of a process in a folder of locks: everything needed to judge it, so that it appears whole or not at all. */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive, processIdentity } from '../flow/process-identity.ts';

/** `exclusive` keeps every other writer out, `shared` only exclusive ones; `evict` is exclusive and removes the cache. */
export type LockMode = 'exclusive' | 'shared' | 'evict';

const SEPARATOR = '_';

/** Which set of process numbers a pid belongs to: containers that share a folder have their own. */
const pidNamespace = (): string => {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
};

const hostDigest = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

let count = 0;

/** A new name for this process; no two calls give the same one. */
export function newEntry(mode: LockMode = 'exclusive'): string {
  const { pid, boot, started } = processIdentity();
  const suffix = mode === 'exclusive' ? [] : [mode];
  return [pid, count++, started, boot, pidNamespace(), hostDigest(), ...suffix].join(SEPARATOR);
}

/** The pid that an entry names, for a person. */
export const entryPid = (entry: string): string => entry.split(SEPARATOR)[0] ?? entry;

/** How an entry wants the cache; what nobody knows is taken to want it alone. */
export function entryMode(entry: string): LockMode {
  const mode = entry.split(SEPARATOR)[6];
  return mode === 'shared' || mode === 'evict' ? mode : 'exclusive';
}

/** Whether the process of an entry lives, as far as can be told; who cannot be judged is taken to live. */
export function mayLive(entry: string): boolean {
  const [pid, , started, boot, namespace, host] = entry.split(SEPARATOR);
  if (started === undefined || boot === undefined) return true;
  const sameHost = host === hostDigest();
  const sameBoot = boot === processIdentity().boot;
  if (!sameBoot) return !sameHost; // another machine, or this one before it was booted anew
  if (namespace !== pidNamespace() || (boot === '' && !sameHost)) return true;
  return isAlive({ pid: Number(pid), boot, started });
}
