/** Makes batches on the host: decoded views, their labels, and the teacher's cached answers to the same pixels. */
import type { Augmentation } from '../augment/augmentation.ts';
import { assertSamePixels, type PixelProvenance } from '../augment/assert-same-pixels.ts';
import { withoutMosaic } from '../augment/close-mosaic.ts';
import { drawView } from '../augment/draw-view.ts';
import { decodeView } from '../augment/view-codec.ts';
import type { ViewDecoder } from '../augment/view-decoder.ts';
import type { Cache } from '../cache/cache-reader.ts';
import { floatBlob, type Target } from '../cache/target.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import type { Dataset } from '../data/sample.ts';
import { writePixels } from '../data/unit-pixels.ts';
import type { ViewRecord } from '../data/view.ts';
import { DETECTIONS_KIND, featureKind, LOGITS_KIND } from '../teach/answers.ts';
import { batchDetections } from '../teach/teacher-detections.ts';
import { objectnessOf } from '../loss/host-objectness.ts';
import { labelRows, type HostAnswer, type HostBatch } from './batch.ts';
import type { BatchItem } from './sample-order.ts';
import { viewAt, type ViewSchedule } from './view-index.ts';

/** Where the views of a batch come from. */
export type ViewSource =
  | {
      readonly kind: 'drawn';
      readonly augmentation: Augmentation;
      readonly seed: number;
      /** Size of the views of each sample, where they are not square; equal in a batch. */
      readonly shapes?: readonly PixelSize[] | undefined;
    }
  | {
      readonly kind: 'cached';
      readonly cache: Pick<Cache, 'readMany'>;
      /** Kind and blobs of what the teacher's head answered; undefined where no term needs it. */
      readonly output: { readonly kind: string; readonly blobs: readonly string[] } | undefined;
      /** Whether cached detections are read. */
      readonly detections: boolean;
      readonly features: readonly number[];
      readonly recorded: PixelProvenance;
      readonly current: PixelProvenance;
    };

export interface BatchLoaderOptions {
  readonly dataset: Dataset;
  /** Sample index of each position that the order names. */
  readonly participants: readonly number[];
  readonly imageSize: number;
  readonly decoder: ViewDecoder;
  readonly source: ViewSource;
  readonly schedule: ViewSchedule;
}

/** Collects one blob of every target into one array. */
function collect(targets: readonly Target[], name: string): HostAnswer {
  const blobs = targets.map((target) => floatBlob(target, name));
  const [first] = blobs;
  if (first === undefined) throw new Error('a batch needs at least one view');
  const size = first.data.length;
  const data = new Float32Array(size * blobs.length);
  blobs.forEach((blob, i) => data.set(blob.data, i * size));
  return { shape: first.shape, data };
}

/** A classifier's logits [nc] as the one cell of a head; a head as it is. */
const asHead = ({ shape, data }: HostAnswer): HostAnswer => ({
  shape: shape.length === 1 ? [1, 1, 1, ...shape] : shape,
  data,
});

/** Bytes that a loaded batch of `batchSize` views holds, for the memory credits. */
export function batchBytes(imageSize: number, answerValues: number, batchSize: number): number {
  // Pixels as bytes and as floats, answers as floats and as they come from the cache.
  return batchSize * (imageSize * imageSize * 3 * 5 + answerValues * 8);
}

/** Returns the function that loads one batch; it rejects with E_ABORTED when its signal fires. */
export function createBatchLoader(
  options: BatchLoaderOptions,
): (items: readonly BatchItem[], epoch: number, signal: AbortSignal) => Promise<HostBatch> {
  const { dataset, participants, imageSize, decoder, source, schedule } = options;
  const sampleAt = (position: number): number => {
    const sample = participants[position];
    if (sample === undefined) throw new Error(`no sample at position ${position}`);
    return sample;
  };
  return async (items, epoch, signal) => {
    const keys = items.map(({ position, pass }) => ({
      sample: sampleAt(position),
      ...viewAt(schedule, epoch, pass),
    }));
    let targets: readonly Target[] = [];
    let records: readonly ViewRecord[];
    if (source.kind === 'cached') {
      const kinds = [
        ...(source.output === undefined ? [] : [source.output.kind]),
        ...source.features.map(featureKind),
      ];
      if (source.detections) kinds.push(DETECTIONS_KIND);
      targets = await source.cache.readMany(keys, kinds);
      records = targets.map((target) => decodeView(target.record));
    } else {
      records = keys.map((key) =>
        drawView(
          key,
          dataset.samples,
          imageSize,
          key.isClosed ? withoutMosaic(source.augmentation) : source.augmentation,
          source.seed,
          source.shapes?.[key.sample],
        ),
      );
    }
    const { width, height } = records[0] ?? { width: imageSize, height: imageSize };
    const pixels = new Float32Array(items.length * height * width * 3);
    const labels = await Promise.all(
      records.map(async (record, i) => {
        const view = await decoder.decode(record, signal);
        try {
          const target = targets[i];
          if (target !== undefined && source.kind === 'cached') {
            const path = dataset.samples[record.sample]?.path ?? String(record.sample);
            assertSamePixels(target.inputDigest, view, {
              path,
              recorded: source.recorded,
              current: source.current,
            });
          }
          writePixels(view.pixels, pixels, i);
          return { labels: view.labels };
        } finally {
          view.release();
        }
      }),
    );
    const output = source.kind === 'cached' ? source.output : undefined;
    const heads = (output?.blobs ?? []).map((blob) => asHead(collect(targets, blob)));
    const features = new Map(
      source.kind === 'cached'
        ? source.features.map((layer) => [layer, collect(targets, featureKind(layer))] as const)
        : [],
    );
    return {
      size: items.length,
      height,
      width,
      pixels,
      labels: labelRows(labels),
      labelled: labels.map((view) => view.labels !== undefined),
      heads,
      objectness: output?.kind === LOGITS_KIND ? [] : heads.map(objectnessOf),
      features,
      ...(source.kind === 'cached' && source.detections
        ? { detections: batchDetections(targets.map((target) => floatBlob(target, DETECTIONS_KIND))) }
        : {}),
    };
  };
}
