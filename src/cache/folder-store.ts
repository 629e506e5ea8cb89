/** A store in a folder of the local file system: objects are files that appear whole, durable, and only once. */
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isTemporaryName, syncFolder } from '../flow/atomic-file.ts';
import { errnoOf, fileError } from '../flow/file-error.ts';
import { corrupt } from './corrupt.ts';
import type { PendingObject, Store } from './store.ts';
import { storeName, storePrefix } from './store-name.ts';

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');

/** Errors of a file system that has no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'];

/** `undefined` for what does not exist; everything else is worded for a person. */
async function orMissing<T>(work: Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError(error, path, 'read');
  }
}

/** Gives a finished temporary its name unless that is taken. */
async function appear(temporary: string, path: string): Promise<'created' | 'exists'> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists';
    if (!NO_LINKS.includes(errnoOf(error) ?? '')) throw error;
    // Without hard links the check and the rename are two steps: safe with one writer, as the lock demands.
    if ((await orMissing(stat(path), path)) !== undefined) return 'exists';
    await rename(temporary, path);
  }
  return 'created';
}

let counter = 0;

/** A store in the folder `root`, made when the first object is written. */
export function folderStore(root: string): Store {
  const top = resolve(root);
  const pathOf = (name: string): string => join(top, ...storeName(name).split('/'));
  const durable = new Set<string>();

  /** Makes a folder and every folder above it that is missing, each durable in its parent. */
  const makeFolder = async (folder: string): Promise<void> => {
    if (durable.has(folder)) return;
    const first = await mkdir(folder, { recursive: true });
    if (first !== undefined) {
      for (let made = folder; made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made));
      }
    }
    durable.add(folder);
  };

  const openTemporary = async (path: string): Promise<{ temporary: string; handle: FileHandle }> => {
    await makeFolder(dirname(path));
    for (;;) {
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${counter++}.partial`);
      try {
        return { temporary, handle: await open(temporary, 'wx') };
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
    }
  };

  const openWrite = async (name: string): Promise<PendingObject> => {
    const path = pathOf(name);
    const fail = (error: unknown): never => {
      throw fileError(error, path, 'written');
    };
    const { temporary, handle } = await openTemporary(path).catch(fail);
    let open = true;
    const discard = async (): Promise<void> => {
      if (!open) return;
      open = false;
      await handle.close().catch(() => undefined);
      await unlink(temporary).catch(() => undefined);
    };
    const finish = async <T>(name: () => Promise<T>): Promise<T> => {
      try {
        await handle.sync();
        const outcome = await name();
        await discard();
        await syncFolder(dirname(path));
        return outcome;
      } catch (error) {
        await discard();
        return fail(error);
      }
    };
    return {
      write: async (bytes) => {
        let done = 0;
        while (done < bytes.byteLength) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done).catch(fail);
          done += bytesWritten;
        }
      },
      commit: () => finish(() => appear(temporary, path)),
      replace: () => finish(() => rename(temporary, path)),
      abort: discard,
    };
  };

  const readRange = async (name: string, offset: number, length: number): Promise<Uint8Array> => {
    const path = pathOf(name);
    const handle = await orMissing(open(path, 'r'), path);
    if (handle === undefined) throw corrupt(path, 'no such file');
    try {
      const { size } = await handle.stat();
      if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
        throw corrupt(path, `${size} bytes`, { expected: `bytes ${offset} to ${offset + length}` });
      }
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw corrupt(path, `an end at byte ${offset + done}`);
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw fileError(error, path, 'read');
    } finally {
      await handle.close();
    }
  };

  /** Every file below a folder by its path relative to `top`, with / between the parts. */
  const walk = async (relative: string, found: string[]): Promise<string[]> => {
    const folder = join(top, relative);
    const entries = (await orMissing(readdir(folder, { withFileTypes: true }), folder)) ?? [];
    for (const entry of entries) {
      const name = `${relative}${entry.name}`;
      if (entry.isDirectory()) await walk(`${name}/`, found);
      else found.push(name);
    }
    return found;
  };

  return {
    label: top,
    openWrite,
    putIfAbsent: async (name, bytes) => {
      const pending = await openWrite(name);
      try {
        await pending.write(bytes);
      } catch (error) {
        await pending.abort();
        throw error;
      }
      return pending.commit();
    },
    get: async (name) => orMissing(readFile(pathOf(name)), pathOf(name)),
    getRange: readRange,
    size: async (name) => (await orMissing(stat(pathOf(name)), pathOf(name)))?.size,
    list: async (prefix) => {
      const names = await walk(storePrefix(prefix), []);
      return names.filter((name) => !isTemporaryName(basename(name))).sort();
    },
    delete: async (name) => {
      const path = pathOf(name);
      try {
        await unlink(path);
      } catch (error) {
        if (!isMissing(error)) throw fileError(error, path, 'written');
      }
    },
    sweep: async () => {
      const names = await walk('', []);
      for (const name of names.filter((n) => isTemporaryName(basename(n)))) await unlink(join(top, name));
    },
  };
}
