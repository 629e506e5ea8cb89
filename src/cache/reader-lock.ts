/** Who reads a cache: entries in the `readers` folder beside it, so that nobody removes it meanwhile. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SoftshardError } from '../errors.ts';
import { errnoOf, fileError } from '../flow/file-error.ts';
import { entryMode, entryPid, mayLive, newEntry } from './lock-entry.ts';
import { addEntry, listEntries, removeEntry } from './writer-lock.ts';

/** The file beside a cache whose time of change says when it was last opened. */
export const LAST_USED = 'last-used';

/** Errors of a place that may be read and not written: reading goes on unrecorded. */
const READ_ONLY = ['EACCES', 'EROFS', 'EPERM'];

/**
 * Records that this process reads the cache whose local folder is `localDir`; give it back when done. Any number of
 * processes may. Throws E_CACHE_LOCKED while the cache is being removed.
 */
export async function lockReader(localDir: string): Promise<{ release(): Promise<void> }> {
  const folder = join(localDir, 'readers');
  const entry = newEntry('shared');
  try {
    await addEntry(folder, entry);
    await writeFile(join(localDir, LAST_USED), '');
    const evictor = (await listEntries(join(localDir, 'writers'))).find(
      (name) => entryMode(name) === 'evict' && mayLive(name),
    );
    if (evictor === undefined) return { release: async () => removeEntry(folder, entry) };
    await removeEntry(folder, entry);
    throw new SoftshardError('E_CACHE_LOCKED', {
      message: 'The cache is being removed.',
      found: `process ${entryPid(evictor)}`,
      where: localDir,
      remedy: 'Make it again with softshard teach.',
    });
  } catch (error) {
    if (READ_ONLY.includes(errnoOf(error) ?? '')) return { release: async () => Promise.resolve() };
    throw fileError(error, folder, 'written');
  }
}
