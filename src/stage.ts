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

declare const head: unique symbol;

/** A stage that needs no input: the head of a chain. Made by `source` or `chain`; no other stage can stand for one. */
export type Source<Out> = Stage<never, Out> & { readonly [head]: true };

/** Makes the head of a chain of a function that is given a unit and no items. */
export const source = <Out>(produce: (unit: Unit, context: StageContext) => Observable<Out>): Source<Out> =>
  (({ unit }: Work<never>, context: StageContext) => produce(unit, context)) as Source<Out>;

/** The work of a chain's head: a unit without items. */
export const workOn = (unit: Unit): Work<never> => ({ unit, items: EMPTY });

export function chain<A>(a: Source<A>): Source<A>;
export function chain<A, B>(a: Source<A>, b: Stage<A, B>): Source<B>;
export function chain<A, B, C>(a: Source<A>, b: Stage<A, B>, c: Stage<B, C>): Source<C>;
export function chain<A, B, C, D>(a: Source<A>, b: Stage<A, B>, c: Stage<B, C>, d: Stage<C, D>): Source<D>;
export function chain<A, B, C, D, E>(
  a: Source<A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
): Source<E>;
/**
 * Joins stages of one process behind their source: each stage's items are the next one's. A wrong order, and a chain
 * without a source, is a compile error.
 */
export function chain(first: Source<unknown>, ...stages: Stage<unknown, unknown>[]): Source<unknown> {
  return source((unit, context) =>
    stages.reduce<Observable<unknown>>(
      (items, stage) => stage({ unit, items }, context),
      first(workOn(unit), context),
    ),
  );
}
