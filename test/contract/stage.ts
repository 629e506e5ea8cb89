/** The contract of every stage: one suite that each implementation runs. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { firstValueFrom, lastValueFrom, map, take, tap, toArray } from 'rxjs';
import type { Unit } from '../../src/data/plan.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { createCredits, type CreditPool } from '../../src/flow/credits.ts';
import { workOn, type Source, type StageContext } from '../../src/stage.ts';

/** A stage under test: chained behind its sources, so that it needs no input. */
export interface StageContract<Out> {
  readonly name: string;
  /** Makes the chain anew for each test. */
  readonly open: () => Source<Out> | Promise<Source<Out>>;
  /** Undoes what `open` did. */
  readonly close?: () => void | Promise<void>;
  readonly units: readonly Unit[];
  /** Credits that suffice, bytes. */
  readonly creditBytes: number;
  /** Where in its unit an item stands, 0, 1, ...; one item a unit stands at 0. */
  readonly positionOf: (item: Out, unit: Unit) => number;
  /** Items that a unit yields; as many as it has views by default. */
  readonly countOf?: (unit: Unit) => number;
  /** Gives back what an item holds, as a sink does. */
  readonly release?: (item: Out) => void;
  /** A chain that fails on a unit with a code; without it that test is skipped. */
  readonly failing?: {
    readonly open: () => Source<Out> | Promise<Source<Out>>;
    readonly unit: Unit;
    readonly code: ErrorCode;
  };
}

interface Bench {
  readonly credits: CreditPool;
  readonly controller: AbortController;
  readonly context: StageContext;
}

const bench = (creditBytes: number): Bench => {
  const credits = createCredits(creditBytes);
  const controller = new AbortController();
  return { credits, controller, context: { credits, signal: controller.signal, emit: () => undefined } };
};

/** Waits until cancelled loads have noticed and given their credits back. */
const creditsReturn = async (credits: CreditPool): Promise<void> => {
  for (let i = 0; i < 500 && credits.inUse > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(credits.inUse, 0, 'credits are still held');
};

/** Declares the suite for one stage. */
export const stageContract = <Out>(contract: StageContract<Out>): void => {
  const { units, creditBytes } = contract;
  const release = contract.release ?? (() => undefined);
  const using = async (
    open: () => Source<Out> | Promise<Source<Out>>,
    body: (source: Source<Out>) => Promise<void>,
  ): Promise<void> => {
    try {
      await body(await open());
    } finally {
      await contract.close?.();
    }
  };
  const [firstUnit] = units;
  if (firstUnit === undefined) throw new Error('the contract needs a unit');

  describe(`stage contract: ${contract.name}`, () => {
    test('emits every unit in order, and the credits return', () =>
      using(contract.open, async (source) => {
        const { context, credits } = bench(creditBytes);
        for (const unit of units) {
          const positions = await lastValueFrom(
            source(workOn(unit), context).pipe(
              tap(release),
              map((item) => contract.positionOf(item, unit)),
              toArray(),
            ),
          );
          const count = contract.countOf?.(unit) ?? unit.views.length;
          assert.deepEqual(
            positions,
            Array.from({ length: count }, (_, i) => i),
          );
        }
        await creditsReturn(credits);
        assert.ok(credits.peak <= credits.total);
      }));

    test('unsubscribing after the first item stops it, and the credits return', () =>
      using(contract.open, async (source) => {
        const { context, credits, controller } = bench(creditBytes);
        await firstValueFrom(source(workOn(firstUnit), context).pipe(tap(release), take(1)));
        controller.abort();
        await creditsReturn(credits);
      }));

    test('unsubscribing before the first item emits nothing more', () =>
      using(contract.open, async (source) => {
        const { context, credits, controller } = bench(creditBytes);
        let emitted = 0;
        const subscription = source(workOn(firstUnit), context).subscribe({ next: () => emitted++ });
        const before = emitted;
        subscription.unsubscribe();
        controller.abort();
        await creditsReturn(credits);
        assert.equal(emitted, before);
      }));

    test(
      'a failure ends the stream with its code, and the credits return',
      { skip: contract.failing === undefined ? 'this stage names no failing unit' : false },
      async () => {
        const { failing } = contract;
        if (failing === undefined) return;
        await using(failing.open, async (source) => {
          const { context, credits, controller } = bench(creditBytes);
          await assert.rejects(
            lastValueFrom(source(workOn(failing.unit), context).pipe(tap(release)), {
              defaultValue: undefined,
            }),
            (error) => isSoftshardError(error, failing.code),
          );
          controller.abort();
          await creditsReturn(credits);
        });
      },
    );

    test('an aborted signal ends it', () =>
      using(contract.open, async (source) => {
        const { context, credits, controller } = bench(creditBytes);
        controller.abort();
        let emitted = 0;
        await new Promise<void>((resolve) => {
          source(workOn(firstUnit), context).subscribe({
            next: (item) => {
              emitted++;
              release(item);
            },
            error: () => resolve(),
            complete: () => resolve(),
          });
        });
        assert.equal(emitted, 0);
        await creditsReturn(credits);
      }));
  });
};
