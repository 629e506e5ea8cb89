/** Keeps the caches below a folder within a budget: whole caches go, the least recently used first, none in use. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSoftshardError } from '../errors.ts';
import { fileError } from '../flow/file-error.ts';
import { decodeManifest } from './manifest.ts';
import { folderStore } from './folder-store.ts';
import { MANIFEST_NAME, SEAL_NAME } from './formats.ts';
import { mayLive, newEntry } from './lock-entry.ts';
import { LAST_USED } from './reader-lock.ts';
import { listEntries, lockWriter } from './writer-lock.ts';

/** A cache below the folder. */
export interface FoundCache {
  readonly folder: string;
  readonly bytes: number;
  /** When it was last opened or written, by the file system's clock: milliseconds since 1970. */
  readonly lastUsedMs: number;
  readonly sealed: boolean;
  /** Whether a process reads or writes it, or may: who cannot be judged from here is taken to live. */
  readonly inUse: boolean;
}

const LOCAL = '.local';

async function isUsed(folder: string, kinds: readonly string[] = ['readers', 'writers']): Promise<boolean> {
  for (const kind of kinds) {
    if ((await listEntries(join(`${folder}${LOCAL}`, kind))).some(mayLive)) return true;
  }
  return false;
}

const changedMs = async (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

async function describeCache(folder: string): Promise<FoundCache> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const file of files.filter((entry) => entry.isFile())) {
    bytes += (await stat(join(file.parentPath, file.name))).size;
  }
  const times = [MANIFEST_NAME, SEAL_NAME, 'units', 'extensions'].map(async (name) =>
    changedMs(join(folder, name)),
  );
  return {
    ...{ folder, bytes, inUse: await isUsed(folder) },
    lastUsedMs: Math.max(
      ...(await Promise.all(times)),
      await changedMs(join(`${folder}${LOCAL}`, LAST_USED)),
    ),
    sealed: (await folderStore(folder).size(SEAL_NAME)) !== undefined,
  };
}

async function isCache(folder: string): Promise<boolean> {
  try {
    const content = await folderStore(folder).get(MANIFEST_NAME);
    if (content !== undefined) decodeManifest(content);
    return content !== undefined;
  } catch (error) {
    // What cannot be told to be a cache is none of ours to remove.
    if (isSoftshardError(error)) return false;
    throw error;
  }
}

/** The caches in a folder and below it; what else lies there is left alone. Throws E_FILE. */
export async function findCaches(folder: string): Promise<readonly FoundCache[]> {
  if (await isCache(folder)) return [await describeCache(folder)];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw fileError(error, folder, 'read');
  });
  const found: FoundCache[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.endsWith(LOCAL)) continue;
    found.push(...(await findCaches(join(folder, entry.name))));
  }
  return found;
}

/** The caches that must go so that the rest fits, the least recently used first; those in use stay. */
export function planEviction(caches: readonly FoundCache[], budgetBytes: number): readonly FoundCache[] {
  let total = caches.reduce((sum, { bytes }) => sum + bytes, 0);
  const going: FoundCache[] = [];
  for (const cache of [...caches].sort((a, b) => a.lastUsedMs - b.lastUsedMs)) {
    if (total <= budgetBytes) break;
    if (cache.inUse) continue;
    going.push(cache);
    total -= cache.bytes;
  }
  return going;
}

/**
 * Removes a cache, unless a process uses it: writers are kept out, and readers that come now are refused, before it is
 * looked whether one is there. Its folder disappears at once. Returns whether it was removed.
 */
export async function evictCache(folder: string): Promise<boolean> {
  const local = `${folder}${LOCAL}`;
  let lock: Awaited<ReturnType<typeof lockWriter>>;
  try {
    lock = await lockWriter(local, 'evict');
  } catch (error) {
    if (isSoftshardError(error, 'E_CACHE_LOCKED')) return false;
    throw error;
  }
  try {
    if (await isUsed(folder, ['readers'])) return false;
    const gone = join(local, `evicted-${newEntry()}`);
    await rename(folder, gone);
    // What an interrupted removal left goes as well.
    for (const name of await readdir(local)) {
      if (name.startsWith('evicted-')) await rm(join(local, name), { recursive: true, force: true });
    }
    return true;
  } catch (error) {
    throw fileError(error, folder, 'written');
  } finally {
    await lock.release();
  }
}
