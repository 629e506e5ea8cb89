/** The units that one of several producers makes: each is leased while it is in work, and none is left out. */
import type { Unit } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import type { CacheWriter } from './cache-writer.ts';
import type { Lease, UnitLeases } from './lease.ts';

export interface ShareOptions {
  readonly units: readonly Unit[];
  readonly writer: Pick<CacheWriter, 'committed' | 'isCommitted'>;
  readonly leases: UnitLeases;
  /** Units that somebody waits for, made before all others; none by default. */
  readonly wanted?: () => Promise<readonly number[]>;
  /** Told when there is nothing to do but to wait for the units that others make: how many. */
  readonly onWait?: (units: number) => void;
  /** From one look at what others make to the next, milliseconds; 500 by default. */
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/** Holds on to a lease until `stop` aborts, or until it is lost, which costs work and nothing else. */
async function keep(lease: Lease, { clock, expiryMs }: UnitLeases, stop: AbortSignal): Promise<void> {
  try {
    do await clock.sleep(expiryMs / 4, stop);
    while (!stop.aborted && (await lease.renew()));
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/**
 * Yields every unit once: those that are committed, and those that are this producer's to make, whose lease is held
 * until the next is asked for. Ends when all are committed, those of other producers included. Throws E_ABORTED.
 */
export async function* shareUnits(options: ShareOptions): AsyncGenerator<Unit, void, undefined> {
  const { writer, leases, wanted, onWait, pollMs = 500, signal } = options;
  const pending = new Set(options.units);

  /** The next unit to yield; `held` are those that others make. */
  const next = async (held: ReadonlySet<number>): Promise<{ unit: Unit; lease?: Lease } | number> => {
    const first = new Set(wanted === undefined ? [] : await wanted());
    const isFirst = ({ index }: Unit): boolean => first.has(index);
    const order = first.size === 0 ? pending : [...pending].sort((a, b) => +isFirst(b) - +isFirst(a));
    for (const unit of order) {
      refuseAborted(signal, `unit ${unit.index}`);
      if (writer.committed.has(unit.index)) return { unit };
      if (held.has(unit.index)) continue;
      if (await writer.isCommitted(unit.index)) return { unit };
      const lease = await leases.acquire(unit.index);
      if (lease === undefined) return unit.index;
      // Its last holder may have committed it before it gave it back.
      if (!(await writer.isCommitted(unit.index))) return { unit, lease };
      await lease.release();
      return { unit };
    }
    return -1;
  };

  let held = new Set<number>();
  while (pending.size > 0) {
    const found = await next(held);
    if (typeof found === 'number') {
      if (found >= 0) held.add(found);
      else {
        onWait?.(pending.size);
        await leases.clock.sleep(pollMs, signal).catch(() => undefined);
        held = new Set();
      }
      continue;
    }
    const { unit, lease } = found;
    pending.delete(unit);
    if (lease === undefined) {
      yield unit;
      continue;
    }
    const stop = new AbortController();
    const keeping = keep(lease, leases, stop.signal);
    keeping.catch(() => undefined);
    try {
      yield unit;
    } finally {
      stop.abort();
      await keeping;
      await lease.release();
    }
  }
}
