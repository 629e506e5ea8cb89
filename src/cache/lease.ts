/**
 * Which of several producers makes a unit. A lease is an object `leases/UNIT.EPOCH` beside the cache that holds its
 * owner's name: who created the highest epoch holds the unit. Holding on and taking over both create the next epoch,
 * and of several that try only one creates it. No two clocks are compared: a lease has expired for who saw the same
 * epoch for `expiryMs` of its own monotonic clock, so clocks need to run about equally fast and nothing else.
 *
 * Leases divide the work and protect nothing: a unit that two producers make at once, one of them having been stopped
 * for longer than its lease, is committed once, since both have the same bytes.
 */
import type { Store } from './store.ts';

/** Time as a producer sees it. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface LeaseOptions {
  /** Where leases lie: beside the cache, never in it. */
  readonly store: Store;
  /** Names this producer; unique among all that ever share the cache. */
  readonly owner: string;
  readonly clock: Clock;
  /** How long a lease holds that is not renewed, milliseconds. */
  readonly expiryMs: number;
  /** Whether an owner may still live; whose owner is known to be dead is taken over at once. Always by default. */
  readonly mayLive?: (owner: string) => boolean;
}

/** A unit that this producer makes. */
export interface Lease {
  readonly unit: number;
  /** Holds on to it for another `expiryMs`. False once another producer has taken it over. */
  renew(): Promise<boolean>;
  /** Gives it back; further calls do nothing. */
  release(): Promise<void>;
}

export interface UnitLeases {
  readonly clock: Clock;
  readonly expiryMs: number;
  /** The lease of a unit; undefined while another producer holds it. */
  acquire(unit: number): Promise<Lease | undefined>;
  /** Removes all leases: for a cache in which nothing is left to make. */
  clear(): Promise<void>;
}

const PREFIX = 'leases/';
const NAME = /^leases\/(\d{6,})\.(\d+)$/;

const leaseName = (unit: number, epoch: number): string =>
  `${PREFIX}${String(unit).padStart(6, '0')}.${epoch}`;

/** The leases of a cache as one producer sees them. */
export function unitLeases(options: LeaseOptions): UnitLeases {
  const { store, owner, clock, expiryMs, mayLive = () => true } = options;
  const content = new TextEncoder().encode(owner);
  /** The epoch of each unit that was seen last, and since when. */
  const watched = new Map<number, { readonly epoch: number; readonly since: number }>();

  /** Epochs of a unit's leases, ascending. */
  const epochsOf = async (unit: number): Promise<number[]> =>
    (await store.list(PREFIX))
      .map((name) => NAME.exec(name))
      .filter((match) => match !== null && Number(match[1]) === unit)
      .map((match) => Number(match?.[2]))
      .sort((a, b) => a - b);

  /** Creates an epoch that must be the highest; the lower ones are removed. */
  const create = async (unit: number, epoch: number): Promise<boolean> => {
    const name = leaseName(unit, epoch);
    if ((await store.putIfAbsent(name, content)) === 'exists') return false;
    const epochs = await epochsOf(unit);
    if (epochs.at(-1) !== epoch) {
      await store.delete(name);
      return false;
    }
    for (const lower of epochs.slice(0, -1)) await store.delete(leaseName(unit, lower));
    return true;
  };

  const isFree = async (unit: number, epoch: number): Promise<boolean> => {
    const bytes = await store.get(leaseName(unit, epoch));
    if (bytes === undefined) return false; // just given back or renewed: the next look tells
    const holder = new TextDecoder().decode(bytes);
    if (holder === owner || !mayLive(holder)) return true;
    const seen = watched.get(unit);
    if (seen?.epoch === epoch) return clock.now() - seen.since >= expiryMs;
    watched.set(unit, { epoch, since: clock.now() });
    return false;
  };

  const leaseOf = (unit: number, first: number): Lease => {
    let epoch = first;
    let holds = true;
    return {
      unit,
      renew: async () => {
        if (!holds) return false;
        holds = await create(unit, epoch + 1);
        if (holds) epoch++;
        return holds;
      },
      release: async () => {
        if (holds) await store.delete(leaseName(unit, epoch));
        holds = false;
      },
    };
  };

  return {
    clock,
    expiryMs,
    acquire: async (unit) => {
      const latest = (await epochsOf(unit)).at(-1);
      if (latest !== undefined && !(await isFree(unit, latest))) return undefined;
      const epoch = (latest ?? 0) + 1;
      if (!(await create(unit, epoch))) return undefined;
      watched.delete(unit);
      return leaseOf(unit, epoch);
    },
    clear: async () => {
      for (const name of await store.list(PREFIX)) await store.delete(name);
    },
  };
}
