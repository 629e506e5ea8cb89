/** What is left of one epoch: batches in, steps, sums of the logged terms. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { concatMap, lastValueFrom, type Observable } from 'rxjs';
import type { Prefetched } from '../flow/ordered-prefetch.ts';
import type { HostBatch } from './batch.ts';
import type { Progress } from './checkpoint.ts';
import type { StepResult } from './train-step.ts';

/** How fast an epoch went. */
export interface EpochPace {
  /** Images a second. */
  readonly rate: number;
  /** Share (0...1) of the time spent waiting for data. */
  readonly dataWait: number;
}

export interface EpochWork {
  readonly batches: Observable<Prefetched<HostBatch>>;
  readonly step: (batch: HostBatch) => StepResult;
  /** After each batch, with the pace so far. */
  readonly onBatch: (pace: EpochPace) => Promise<void>;
  readonly signal: AbortSignal;
}

function addUp({ sums }: Progress, { logged, gradientNorm }: StepResult): void {
  for (const [name, value] of Object.entries({ ...logged, gradient_norm: gradientNorm })) {
    sums[name] = (sums[name] ?? 0) + value;
  }
}

/** The pace of `views` images since `begin`, of which `computing` ms went into steps. */
function paceSince(begin: number, computing: number, views: number): EpochPace {
  const total = performance.now() - begin;
  return { dataWait: total > 0 ? Math.max(0, 1 - computing / total) : 0, rate: (views * 1000) / total };
}

/**
 * Trains on the batches and moves `progress` on by each. Rejects as a batch or a step does, and with the signal's
 * reason between two of them.
 */
export async function trainEpoch(progress: Progress, work: EpochWork): Promise<EpochPace> {
  const begin = performance.now();
  let computing = 0;
  let views = 0;
  const trained = work.batches.pipe(
    concatMap(async ({ value: batch, release }) => {
      // The engine blocks this thread: let the decoders' messages and signals through first.
      await yieldToEvents();
      work.signal.throwIfAborted();
      const start = performance.now();
      const result = work.step(batch);
      computing += performance.now() - start;
      views += batch.size;
      release();
      addUp(progress, result);
      progress.batch += 1;
      await work.onBatch(paceSince(begin, computing, views));
    }),
  );
  await lastValueFrom(trained, { defaultValue: undefined });
  return paceSince(begin, computing, views);
}
