/** A store in memory, for tests and for caches that need not outlive the process. */
import { corrupt } from './corrupt.ts';
import type { Store } from './store.ts';
import { storeName, storePrefix } from './store-name.ts';

/** Makes an empty store; `objects` may be handed in to look at or to damage what it holds. */
export function memoryStore(objects = new Map<string, Uint8Array>()): Store {
  const put = (name: string, bytes: Uint8Array): 'created' | 'exists' => {
    if (objects.has(storeName(name))) return 'exists';
    objects.set(name, bytes.slice());
    return 'created';
  };
  return {
    label: 'memory',
    putIfAbsent: async (name, bytes) => Promise.resolve(put(name, bytes)),
    openWrite: async (name) => {
      storeName(name);
      const chunks: Uint8Array[] = [];
      return Promise.resolve({
        write: async (bytes) => {
          chunks.push(bytes.slice());
          return Promise.resolve();
        },
        commit: async () => Promise.resolve(put(name, Buffer.concat(chunks))),
        replace: async () => {
          objects.set(name, Buffer.concat(chunks));
          return Promise.resolve();
        },
        abort: async () => Promise.resolve(),
      });
    },
    get: async (name) => Promise.resolve(objects.get(storeName(name))?.slice()),
    getRange: async (name, offset, length) => {
      const bytes = objects.get(storeName(name));
      if (bytes === undefined) throw corrupt(name, 'no such object');
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.byteLength)) {
        throw corrupt(name, `${bytes.byteLength} bytes`, {
          expected: `bytes ${offset} to ${offset + length}`,
        });
      }
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
    size: async (name) => Promise.resolve(objects.get(storeName(name))?.byteLength),
    list: async (prefix) => {
      storePrefix(prefix);
      return Promise.resolve([...objects.keys()].filter((name) => name.startsWith(prefix)).sort());
    },
    delete: async (name) => {
      objects.delete(storeName(name));
      return Promise.resolve();
    },
    sweep: async () => Promise.resolve(),
  };
}
