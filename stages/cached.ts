/**
 * The stage around another that makes targets: units that the cache holds are passed over, the others are made and
 * committed. `replay` recomputes committed units instead and compares them, never overwriting one.
 */
import { defer, from, of, type Observable } from 'rxjs';
import { eachValueFrom } from '../src/flow/each-value-from.ts';
import type { CacheWriter } from '../src/cache/cache-writer.ts';
import type { Target } from '../src/cache/target.ts';
import { SoftshardError } from '../src/errors.ts';
import { source, workOn, type Source } from '../src/stage.ts';

/** What became of one unit. */
export interface UnitOutcome {
  readonly unit: number;
  readonly views: number;
  /** `written` now, `found` committed, or recomputed and `equal`. */
  readonly state: 'written' | 'found' | 'equal';
}

export interface CachedOptions {
  /** Recompute committed units and compare them. */
  readonly replay?: boolean;
}

/** A target that holds memory until it is written. */
export interface LeasedTarget extends Target {
  release?(): void;
}

/** The targets one by one, each released once the next is asked for, which is when it has been written. */
async function* releasing(targets: Observable<LeasedTarget>): AsyncGenerator<Target> {
  for await (const target of eachValueFrom(targets)) {
    try {
      yield target;
    } finally {
      target.release?.();
    }
  }
}

/**
 * Wraps a source of targets. Emits one outcome a unit, after its commit. A replayed unit that differs is
 * E_REPLAY_MISMATCH naming the first view; nothing is overwritten.
 */
export function cached(
  inner: Source<LeasedTarget>,
  writer: Pick<CacheWriter, 'committed' | 'writeUnit' | 'compareUnit'>,
  options: CachedOptions = {},
): Source<UnitOutcome> {
  return source((unit, context): Observable<UnitOutcome> => {
    const outcome = (state: UnitOutcome['state']): UnitOutcome => ({
      unit: unit.index,
      views: unit.views.length,
      state,
    });
    const isCommitted = writer.committed.has(unit.index);
    if (isCommitted && options.replay !== true) return of(outcome('found'));
    return defer(() =>
      from(
        (async () => {
          const targets = releasing(inner(workOn(unit), context));
          if (!isCommitted) {
            await writer.writeUnit(unit, targets);
            return outcome('written');
          }
          const comparison = await writer.compareUnit(unit, targets);
          if (comparison.equal) return outcome('equal');
          const { firstView, kind, what } = comparison;
          throw new SoftshardError('E_REPLAY_MISMATCH', {
            message: 'A recomputed unit differs from the committed one, which stays as it is.',
            where: `unit ${unit.index}, sample ${firstView.sample}, view ${firstView.view}, ${kind}`,
            found: what,
            remedy:
              'Check what changed since (engine, threads, versions): inspect shows what made the cache.',
          });
        })(),
      ),
    );
  });
}
