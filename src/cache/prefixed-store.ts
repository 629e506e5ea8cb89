/** A part of a store as a store of its own. */
import type { Store } from './store.ts';
import { storePrefix } from './store-name.ts';

/** The objects of `store` below `prefix` (ending in `/`), under the names that follow it. Throws E_CACHE_FORMAT. */
export function prefixedStore(store: Store, prefix: string): Store {
  storePrefix(prefix);
  return {
    label: `${store.label}/${prefix.slice(0, -1)}`,
    putIfAbsent: (name, bytes) => store.putIfAbsent(prefix + name, bytes),
    openWrite: (name) => store.openWrite(prefix + name),
    get: (name) => store.get(prefix + name),
    getRange: (name, offset, length) => store.getRange(prefix + name, offset, length),
    size: (name) => store.size(prefix + name),
    list: async (below) => (await store.list(prefix + below)).map((name) => name.slice(prefix.length)),
    delete: (name) => store.delete(prefix + name),
    sweep: () => store.sweep(),
  };
}
