/** Puts an export in its place only after it has been read back and found right. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../flow/atomic-file.ts';
import { fileError } from '../flow/file-error.ts';

/**
 * Calls `write` and then `check` with a path in a temporary folder beside `target`, then renames that path (a file or
 * a folder) to `target`, replacing what is there. On failure `target` is as it was. A file is replaced atomically; a
 * folder is moved aside first, so for a moment there is none.
 */
export async function publish<T>(
  target: string,
  write: (path: string) => Promise<void>,
  check: (path: string) => Promise<T>,
): Promise<T> {
  const parent = dirname(target);
  let temporary: string;
  try {
    await mkdir(parent, { recursive: true });
    temporary = await mkdtemp(join(parent, `.${basename(target)}.partial-`));
  } catch (error) {
    throw fileError(error, target, 'written');
  }
  try {
    const path = join(temporary, basename(target));
    await write(path);
    const result = await check(path);
    try {
      await rename(path, target);
    } catch {
      // A folder that is not empty is in the way.
      const before = join(temporary, 'before');
      await rename(target, before);
      try {
        await rename(path, target);
      } catch (error) {
        await rename(before, target);
        throw error;
      }
    }
    await syncFolder(parent);
    return result;
  } catch (error) {
    throw fileError(error, target, 'written');
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
