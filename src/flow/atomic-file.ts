/** Files that are either whole or not there: temporary name, fsync, rename, fsync of the folder. */
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, fileError } from './file-error.ts';

export type Chunks = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const TEMPORARY = /^\..+\.\d+-\d+\.partial$/;

/** Whether a file name (without folder) is one that an interrupted `writeFileAtomic` may leave behind. */
export const isTemporaryName = (name: string): boolean => TEMPORARY.test(name);

let counter = 0;

/** Creates a temporary file beside `path`, of a name that no other writer holds. */
async function openTemporary(path: string): Promise<{ handle: FileHandle; temporary: string }> {
  for (;;) {
    const name = `.${basename(path)}.${process.pid}-${counter++}.partial`;
    const temporary = join(dirname(path), name);
    try {
      return { handle: await open(temporary, 'wx'), temporary };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    written += (await handle.write(chunk, written, chunk.byteLength - written)).bytesWritten;
  }
}

/** Makes a folder's entries durable. File systems that cannot fsync a folder are taken at their word. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Writes `chunks`, in order, as the whole content of `path`, replacing what is there. At any moment, power cuts
 * included, `path` holds the old content or the new; on return the new one is on disk. The temporary lies in the
 * same folder and is removed on failure. Throws E_DISK_FULL, E_FILE, or what the iterable of chunks throws.
 */
export async function writeFileAtomic(path: string, chunks: Chunks): Promise<void> {
  try {
    const { handle, temporary } = await openTemporary(path);
    try {
      try {
        for await (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) {
          await writeAll(handle, chunk);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(path));
  } catch (error) {
    throw fileError(error, path, 'written');
  }
}
