import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { concatMap, defer, finalize, lastValueFrom, Observable, take, toArray } from 'rxjs';
import { makePlan, type ViewKey } from '../../src/data/plan.ts';
import { SoftshardError, isSoftshardError } from '../../src/errors.ts';
import { createCredits } from '../../src/flow/credits.ts';
import { orderedPrefetch, type Prefetched } from '../../src/flow/ordered-prefetch.ts';
import { runUnits } from '../../src/flow/run-units.ts';
import { chain, source, workOn, type Stage } from '../../src/stage.ts';
import { stageContract } from '../contract/stage.ts';

const { units } = makePlan({ samples: 11, views: 2, unitViews: 4 });

/** A small decode: loads each view's sample number, 10 bytes each. */
const load = source<Prefetched<ViewKey>>((unit, { credits, signal }) =>
  orderedPrefetch(unit.views, {
    bytesOf: () => 10,
    credits,
    concurrency: 2,
    signal,
    load: async (key) => {
      await sleep(1);
      return key;
    },
  }),
);

/** A small sink: one number a view. */
const sink: Stage<Prefetched<ViewKey>, number> = ({ items }) =>
  items.pipe(
    concatMap(({ value, release }) =>
      defer(async () => {
        await sleep(1);
        return value.sample;
      }).pipe(finalize(release)),
    ),
  );

const failingSink: Stage<Prefetched<ViewKey>, number> = ({ items }) =>
  items.pipe(
    concatMap(async ({ value, release }) => {
      await sleep(1);
      if (value.sample === 2) throw new SoftshardError('E_IMAGE', { message: 'Sample 2 is broken.' });
      release();
      return value.sample;
    }),
  );

const emit = (): void => undefined;
const [firstUnit] = units;
assert.ok(firstUnit);

stageContract({
  name: 'a prefetching chain',
  open: () => chain(load, sink),
  units,
  creditBytes: 40,
  positionOf: (sample, unit) => unit.views.findIndex((key) => key.sample === sample),
  failing: { open: () => chain(load, failingSink), unit: firstUnit, code: 'E_IMAGE' },
});

stageContract({
  name: 'a source alone',
  open: () => load,
  units,
  creditBytes: 40,
  positionOf: ({ value }, unit) => unit.views.indexOf(value),
  release: ({ release }) => release(),
});

describe('runUnits', () => {
  test('one unit after the other keeps the order of the plan', async () => {
    const credits = createCredits(30);
    const seen = await lastValueFrom(runUnits(units, chain(load, sink), { credits, emit }).pipe(toArray()));
    assert.deepEqual(
      seen,
      units.flatMap((unit) => unit.views.map((key) => key.sample)),
    );
    assert.equal(credits.inUse, 0);
    assert.ok(credits.peak <= 30);
  });

  test('never more units in work than the concurrency', async () => {
    let open = 0;
    let peak = 0;
    const watched = source((unit, context) =>
      defer(() => {
        peak = Math.max(peak, ++open);
        return chain(load, sink)(workOn(unit), context);
      }).pipe(finalize(() => open--)),
    );
    const credits = createCredits(50);
    const seen = await lastValueFrom(
      runUnits(units, watched, { credits, emit, concurrency: 2 }).pipe(toArray()),
    );
    assert.equal(seen.length, 22);
    assert.equal(peak, 2);
    assert.ok(credits.peak <= 50);
  });

  test('a failing unit cancels the others, and the credits return', async () => {
    const credits = createCredits(60);
    const signals: AbortSignal[] = [];
    const watched = source((unit, context) => {
      signals.push(context.signal);
      return chain(load, failingSink)(workOn(unit), context);
    });
    await assert.rejects(
      lastValueFrom(runUnits(units, watched, { credits, emit, concurrency: 2 })),
      (error) => isSoftshardError(error, 'E_IMAGE'),
    );
    assert.equal(signals.length, 2);
    assert.ok(signals.every((signal) => signal.aborted));
    await sleep(5);
    assert.equal(credits.inUse, 0);
  });

  test('unsubscribing aborts the signal of the unit in work, not that of a finished one', async () => {
    const signals: AbortSignal[] = [];
    const watched = source((unit, { signal }) => {
      signals.push(signal);
      return new Observable<number>((subscriber) => {
        subscriber.next(unit.index);
        if (unit.index === 0) subscriber.complete();
      });
    });
    const credits = createCredits(1);
    await lastValueFrom(runUnits(units, watched, { credits, emit }).pipe(take(2)));
    assert.deepEqual(
      signals.map((signal) => signal.aborted),
      [false, true],
    );
  });

  test('the outer signal ends it with E_ABORTED', async () => {
    const credits = createCredits(30);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    await assert.rejects(
      lastValueFrom(runUnits(units, chain(load, sink), { credits, emit, signal: controller.signal })),
      (error) => isSoftshardError(error, 'E_ABORTED'),
    );
    await sleep(5);
    assert.equal(credits.inUse, 0);
  });

  test('credits for less than one item are an error, not a deadlock', async () => {
    await assert.rejects(
      lastValueFrom(runUnits(units, chain(load, sink), { credits: createCredits(9), emit })),
      (error) => isSoftshardError(error, 'E_CREDITS'),
    );
  });
});
