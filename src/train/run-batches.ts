/** The batches of a run, loaded ahead inside its memory credits. */
import type { Observable } from 'rxjs';
import type { KeptImages } from '../augment/image-cache-options.ts';
import { createViewDecoder } from '../augment/view-decoder.ts';
import type { RectBatch } from '../metric/rect-batches.ts';
import { createCredits } from '../flow/credits.ts';
import { orderedPrefetch, type Prefetched } from '../flow/ordered-prefetch.ts';
import type { HostBatch } from './batch.ts';
import { batchBytes, createBatchLoader } from './batch-loader.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runOrder } from './run-schedule.ts';
import { imageWeights, weightedDraws } from './image-weights.ts';
import { batchesPerEpoch, createBatches, type EpochOptions } from './sample-order.ts';
import { teacherValues, viewSchedule, viewSource } from './view-source.ts';

/** Batches loaded ahead of the one that trains. */
const AHEAD = 2;

export interface RunBatches {
  /** Batches an epoch. */
  readonly perEpoch: number;
  /**
   * What is left of `epoch` from batch `first` on, both 0-based, in order; each is released by whoever took it. `maps`
   * is mAP50-95 a class as last measured before the epoch, by which images are weighted where that is asked for.
   */
  rest(epoch: number, first: number, maps: readonly number[]): Observable<Prefetched<HostBatch>>;
  /** Ends the decoding threads. */
  close(): Promise<void>;
}

/** Rectangular groups are the batches of every epoch, in their order. */
const rectGroups =
  (groups: readonly RectBatch[]): ReturnType<typeof createBatches> =>
  (epoch, index) =>
    (groups[index]?.indices ?? []).map((position) => ({ position, pass: epoch }));

/** The batches of one epoch, drawn by image weights. */
function weightedBatches(
  { dataset, participants, graph, options }: PreparedRun,
  order: EpochOptions,
  epoch: number,
  maps: readonly number[],
): ReturnType<typeof createBatches> {
  const { batchSize, stepsPerEpoch, seed } = options;
  const samples = participants.map((index) => ({ labels: dataset.samples[index]?.labels }));
  const count = stepsPerEpoch > 0 ? stepsPerEpoch * batchSize : order.samples;
  const draws = weightedDraws(imageWeights(samples, graph.head.nc, maps), { seed, epoch, count });
  return (_, index) => draws.slice(index * batchSize, (index + 1) * batchSize);
}

/** Opens the batches of a run; `images` says which decoded images are kept. Aborts with `signal`. */
export function openRunBatches(run: PreparedRun, images: KeptImages, signal: AbortSignal): RunBatches {
  const { dataset, participants, options } = run;
  const { imgsz, batchSize, workers } = options;
  const order = runOrder(run);
  const perEpoch = batchesPerEpoch(order);
  const batches = run.rect === undefined ? createBatches(order) : rectGroups(run.rect);
  const source = viewSource(run);
  const bytes = batchBytes(imgsz, teacherValues(run), batchSize);
  const credits = createCredits(options.credits * 1024 * 1024);
  const decoder = createViewDecoder({
    ...{ dataset, workers, ...images },
    slots: Math.max(4, 2 * workers),
    viewBytes: imgsz * imgsz * 3,
  });
  const load = createBatchLoader({
    dataset,
    participants,
    imageSize: imgsz,
    decoder,
    source,
    schedule: viewSchedule(run),
  });
  return {
    perEpoch,
    rest: (epoch, first, maps) => {
      const itemsOf = options.imageWeights ? weightedBatches(run, order, epoch, maps) : batches;
      return orderedPrefetch(
        Array.from({ length: perEpoch - first }, (_, i) => first + i),
        {
          bytesOf: () => bytes,
          credits,
          concurrency: AHEAD,
          load: (index, loading) => load(itemsOf(epoch, index), epoch, loading),
          signal,
        },
      );
    },
    close: () => decoder.close(),
  };
}
