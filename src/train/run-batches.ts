/** The batches of a run, loaded ahead inside its memory credits. */
import type { Observable } from 'rxjs';
import { createViewDecoder } from '../augment/view-decoder.ts';
import { createCredits } from '../flow/credits.ts';
import { orderedPrefetch, type Prefetched } from '../flow/ordered-prefetch.ts';
import type { HostBatch } from './batch.ts';
import { batchBytes, createBatchLoader } from './batch-loader.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runOrder } from './run-schedule.ts';
import { batchesPerEpoch, createBatches } from './sample-order.ts';
import { teacherValues, viewSource } from './view-source.ts';

/** Batches loaded ahead of the one that trains. */
const AHEAD = 2;

export interface RunBatches {
  /** Batches an epoch. */
  readonly perEpoch: number;
  /** What is left of `epoch` from batch `first` on, both 0-based, in order; each is released by whoever took it. */
  rest(epoch: number, first: number): Observable<Prefetched<HostBatch>>;
  /** Ends the decoding threads. */
  close(): Promise<void>;
}

/** Opens the batches of a run; `imageCacheBytes` is the memory for decoded images. Aborts with `signal`. */
export function openRunBatches(run: PreparedRun, imageCacheBytes: number, signal: AbortSignal): RunBatches {
  const { dataset, participants, options } = run;
  const { imgsz, batchSize, workers } = options;
  const order = runOrder(run);
  const perEpoch = batchesPerEpoch(order);
  const batches = createBatches(order);
  const source = viewSource(run);
  const bytes = batchBytes(imgsz, teacherValues(run), batchSize);
  const credits = createCredits(options.credits * 1024 * 1024);
  const decoder = createViewDecoder({
    ...{ dataset, workers, imageCacheBytes },
    slots: Math.max(4, 2 * workers),
    viewBytes: imgsz * imgsz * 3,
  });
  const load = createBatchLoader({ dataset, participants, imageSize: imgsz, decoder, source });
  return {
    perEpoch,
    rest: (epoch, first) =>
      orderedPrefetch(
        Array.from({ length: perEpoch - first }, (_, i) => first + i),
        {
          bytesOf: () => bytes,
          credits,
          concurrency: AHEAD,
          load: (index, loading) => load(batches(epoch, index), loading),
          signal,
        },
      ),
    close: () => decoder.close(),
  };
}
