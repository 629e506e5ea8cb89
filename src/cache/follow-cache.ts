/** Reads a cache while it grows: a view whose unit is not committed yet is waited for. */
import type { ViewKey } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import { openCache, type Cache, type ReadOptions } from './cache-reader.ts';
import { placeOf, unitCount } from './extent.ts';
import { MANIFEST_NAME, unitName } from './formats.ts';
import type { Clock } from './lease.ts';
import type { Store } from './store.ts';

/** What a follower waits for. */
export interface FollowWait {
  /** The unit, or undefined while there is no manifest yet. */
  readonly unit: number | undefined;
  /** Units that the cache will have; undefined as above. */
  readonly total: number | undefined;
}

export interface FollowOptions extends Omit<ReadOptions, 'allowUnsealed'> {
  readonly clock: Clock;
  /** The store beside the cache, in which the unit that is waited for is named, so that producers make it next. */
  readonly beside?: Store;
  /** From one look to the next, milliseconds; 500 by default. */
  readonly pollMs?: number;
  /** Told once for each thing that is waited for. */
  readonly onWait?: (wait: FollowWait) => void;
}

const WANTED = 'wanted/';
const wantedName = (unit: number): string => `${WANTED}${unit}`;

/** The units that followers wait for. */
export const wantedUnits = async (beside: Store): Promise<readonly number[]> =>
  (await beside.list(WANTED)).map((name) => Number(name.slice(WANTED.length))).filter(Number.isSafeInteger);

/** Forgets what followers waited for: for a cache in which nothing is left to make. */
export const clearWanted = async (beside: Store): Promise<void> => {
  for (const name of await beside.list(WANTED)) await beside.delete(name);
};

/**
 * Opens a cache that may still grow, or may not have begun. Reading waits for the unit of the view, in the order in
 * which views are asked for; what is read is what a finished cache holds. Rejects with E_ABORTED when the signal fires,
 * also while waiting, and as `openCache` does.
 */
export async function followCache(store: Store, options: FollowOptions): Promise<Cache> {
  const { clock, beside, pollMs = 500, onWait, signal } = options;

  const waitFor = async (name: string, wait: FollowWait): Promise<void> => {
    let told = false;
    while ((await store.size(name)) === undefined) {
      if (!told) onWait?.(wait);
      told = true;
      refuseAborted(signal, name);
      await clock.sleep(pollMs, signal).catch(() => undefined);
      refuseAborted(signal, name);
    }
  };

  await waitFor(MANIFEST_NAME, { unit: undefined, total: undefined });
  const cache = await openCache(store, { ...options, allowUnsealed: true });
  const { extent } = cache.manifest;
  const committed = new Set(cache.units);
  const total = unitCount(extent);

  const ready = async ({ sample, view }: ViewKey): Promise<void> => {
    const unit = placeOf(extent, sample, view)?.unit;
    if (unit === undefined || committed.has(unit)) return;
    const name = unitName(unit);
    if ((await store.size(name)) === undefined) {
      await beside?.putIfAbsent(wantedName(unit), new Uint8Array());
      try {
        await waitFor(name, { unit, total });
      } finally {
        await beside?.delete(wantedName(unit));
      }
    }
    committed.add(unit);
  };

  return {
    ...cache,
    read: async (sample, view, kinds) => {
      await ready({ sample, view });
      return cache.read(sample, view, kinds);
    },
    readMany: async (keys, kinds) => {
      for (const key of keys) await ready(key);
      return cache.readMany(keys, kinds);
    },
  };
}
