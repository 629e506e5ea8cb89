/** Runs a chain of stages over units: the outer flow of every step. */
import { defer, finalize, from, mergeMap, Observable, takeUntil, tap } from 'rxjs';
import type { Unit } from '../data/plan.ts';
import { SoftshardError } from '../errors.ts';
import { workOn, type Source, type StageContext } from '../stage.ts';

export interface RunUnitsOptions extends Omit<StageContext, 'signal'> {
  /** Units in work at once; 1 by default. With 1 the units follow one another in their order. */
  readonly concurrency?: number;
  /** Cancels the whole flow, which then fails with E_ABORTED. */
  readonly signal?: AbortSignal;
}

const never = new Observable<never>();

/** Errors as soon as `signal` aborts; never emits. */
const abortion = (signal: AbortSignal | undefined): Observable<never> =>
  signal === undefined
    ? never
    : new Observable((subscriber) => {
        const onAbort = (): void =>
          subscriber.error(
            new SoftshardError('E_ABORTED', { message: 'The work was cancelled.', cause: signal.reason }),
          );
        if (signal.aborted) onAbort();
        signal.addEventListener('abort', onAbort);
        return () => signal.removeEventListener('abort', onAbort);
      });

/** One unit through the chain, with a signal of its own that aborts on failure and on unsubscribe. */
const runUnit = <Out>(unit: Unit, stage: Source<Out>, options: RunUnitsOptions): Observable<Out> =>
  defer(() => {
    const controller = new AbortController();
    let completed = false;
    const { credits } = options;
    return stage(workOn(unit), {
      signal: controller.signal,
      credits,
      emit: (event) => options.emit(event),
    }).pipe(
      tap({ complete: () => (completed = true) }),
      finalize(() => {
        if (!completed) controller.abort();
      }),
    );
  });

/**
 * What `stage` makes of every unit. At most `concurrency` units are in work; the items of one unit keep their order,
 * those of units in work together interleave. The first failure ends the flow and cancels the other units;
 * unsubscribing cancels all.
 */
export const runUnits = <Out>(
  units: Iterable<Unit>,
  stage: Source<Out>,
  options: RunUnitsOptions,
): Observable<Out> =>
  from(units).pipe(
    mergeMap((unit) => runUnit(unit, stage, options), options.concurrency ?? 1),
    takeUntil(abortion(options.signal)),
  );
