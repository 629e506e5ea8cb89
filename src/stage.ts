/**
 * The whole abstraction: a stage takes ONE unit of work and returns a stream. Stages are chained inside one
 * process; an outer flow runs chains over units with bounded concurrency (`flow/run-units.ts`).
 */
import { EMPTY, type Observable } from 'rxjs';
import type { CreditPool } from './flow/credits.ts';
import type { SoftshardEvent } from './flow/events.ts';
import type { Unit } from './data/plan.ts';

export interface StageContext {
  /** Aborted when the stream is unsubscribed or the step is cancelled; every stage honours it. */
  readonly signal: AbortSignal;
  /** Bytes that may be alive in this process. A source acquires before it loads; the sink releases. */
  readonly credits: CreditPool;
  /** Reports progress; never throws. */
  emit(event: SoftshardEvent): void;
}

/** One unit, and the items that the stage before produced for it (empty for the first stage). */
export interface Work<In> {
  readonly unit: Unit;
  readonly items: Observable<In>;
}

/** Errors end the stream; unsubscribing cancels the work; items keep the unit's view order. */
export type Stage<In, Out> = (work: Work<In>, context: StageContext) => Observable<Out>;

/** A stage that needs no input: the head of a chain. */
export type Source<Out> = Stage<never, Out>;

/** The work of a chain's head: a unit without items. */
export const workOn = (unit: Unit): Work<never> => ({ unit, items: EMPTY });

export function chain<A, B>(a: Stage<A, B>): Stage<A, B>;
export function chain<A, B, C>(a: Stage<A, B>, b: Stage<B, C>): Stage<A, C>;
export function chain<A, B, C, D>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>): Stage<A, D>;
export function chain<A, B, C, D, E>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
): Stage<A, E>;
export function chain<A, B, C, D, E, F>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
): Stage<A, F>;
/** Joins stages of one process: each stage's items are the next one's. A wrong order is a compile error. */
export function chain(...stages: Stage<unknown, unknown>[]): Stage<unknown, unknown> {
  return (work, context) =>
    stages.reduce<Observable<unknown>>(
      (items, stage) => stage({ unit: work.unit, items }, context),
      work.items,
    );
}
