/**
 * Decodes and augments the views of a plan.
 *
 *     softshard decode --data coco128.yaml --imgsz 320 --out views/coco128
 *
 * As a stage it is the head of a chain; as a script it writes pixel shards with their view records, in the cache's own
 * container, which `softshard teach --from DIR` reads instead of decoding.
 */
import { map, type Observable } from 'rxjs';
import { z } from 'zod';
import { imageCacheOptions, keptImages } from '../src/augment/image-cache-options.ts';
import { encodeView } from '../src/augment/view-codec.ts';
import { createViewDecoder, type ViewDecoder } from '../src/augment/view-decoder.ts';
import { openCacheForWriting } from '../src/cache/cache-writer.ts';
import { folderStore } from '../src/cache/folder-store.ts';
import type { Blob, Target } from '../src/cache/target.ts';
import { decoderVersions } from '../src/data/decoder-versions.ts';
import type { ViewKey } from '../src/data/plan.ts';
import type { DecodedView, ViewRecord } from '../src/data/view.ts';
import { softshardHome } from '../src/engine/install/home.ts';
import { createCredits } from '../src/flow/credits.ts';
import { orderedPrefetch } from '../src/flow/ordered-prefetch.ts';
import { runUnits } from '../src/flow/run-units.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain } from '../src/flow/step-main.ts';
import { chain, source, type Source, type Stage } from '../src/stage.ts';
import { LABELLED_BLOB, LABELS_KIND, PIXELS_KIND } from '../src/teach/answers.ts';
import { viewPlanOptions, preparePlan } from '../src/teach/prepare-plan.ts';
import { cached } from './cached.ts';

/** A decoded view and the memory that it holds until it is released. */
export interface LeasedView extends DecodedView {
  /** Frees the view's slot and credits; its pixels must not be read afterwards. */
  release(): void;
}

export interface DecodeOptions {
  readonly decoder: Pick<ViewDecoder, 'decode'>;
  /** The record of a view: drawn anew, or read back. */
  readonly recordOf: (key: ViewKey) => ViewRecord | Promise<ViewRecord>;
  /** Bytes that a view holds until it is released: pixels, and what is made of them. */
  readonly viewBytes: number;
  /** Views decoded ahead. */
  readonly ahead: number;
  /** Views that the consumer keeps before it releases the first. */
  readonly batch: number;
}

/** The stage: a unit's views in order, never more alive than the credits allow. */
export function decode(options: DecodeOptions): Source<LeasedView> {
  const { decoder, recordOf, viewBytes, ahead, batch } = options;
  return source((unit, context): Observable<LeasedView> =>
    orderedPrefetch(unit.views, {
      bytesOf: () => viewBytes,
      credits: context.credits,
      concurrency: ahead,
      batch,
      signal: context.signal,
      load: async (key, signal) => decoder.decode(await recordOf(key), signal),
    }).pipe(
      map(({ value, release }) => ({
        record: value.record,
        pixels: value.pixels,
        labels: value.labels,
        pixelDigest: value.pixelDigest,
        release: () => {
          value.release();
          release();
        },
      })),
    ),
  );
}

/** Labels as rows of (class, cx, cy, w, h). */
const labelBlob = (labels: DecodedView['labels'] = []): Blob => ({
  shape: [labels.length, 5],
  data: Float32Array.from(labels.flatMap(({ classIndex, cx, cy, w, h }) => [classIndex, cx, cy, w, h])),
});

/** A view as what a pixel shard holds of it. */
const pixelTargets: Stage<LeasedView, Target> = ({ items }) =>
  items.pipe(
    map((view) => ({
      sample: view.record.sample,
      view: view.record.view,
      inputDigest: view.pixelDigest,
      record: encodeView(view.record),
      blobs: new Map<string, Blob>([
        [
          PIXELS_KIND,
          {
            dtype: 'uint8' as const,
            shape: [view.record.height, view.record.width, 3],
            data: copyAndRelease(view),
          },
        ],
        [LABELS_KIND, labelBlob(view.labels)],
        [LABELLED_BLOB, { shape: [1], data: Float32Array.of(view.labels === undefined ? 0 : 1) }],
      ]),
    })),
  );

export const command = defineStep({
  name: 'decode',
  summary: 'Decodes and augments views into pixel shards with their records.',
  environment: 'none',
  options: z.strictObject({
    ...viewPlanOptions,
    out: z.string().describe('folder of the pixel shards'),
    workers: z.int().min(0).default(1).describe('decoding threads; 0 decodes in the main thread'),
    ...imageCacheOptions,
    credits: z.int().min(1).default(512).describe('memory for views in flight').meta({ unit: 'MB' }),
  }),
  run: async (options, context) => {
    const prepared = await preparePlan(options, { ...context, checks: imageCheckStore() });
    const { dataset, plan, imageSize } = prepared;
    const viewBytes = imageSize * imageSize * 3;
    const writer = await openCacheForWriting({
      store: folderStore(options.out),
      localDir: `${options.out}.local`,
      identity: prepared.identity,
      provenance: { ...decoderVersions(), node: process.version, v8: process.versions.v8 },
      extent: {
        samples: plan.samples,
        unitViews: plan.unitViews,
        views: plan.views,
        answers: [
          { kind: PIXELS_KIND, blobs: [PIXELS_KIND], codec: 'raw' },
          { kind: LABELS_KIND, blobs: [LABELS_KIND, LABELLED_BLOB], codec: 'fp32' },
        ],
      },
      signal: context.signal,
    });
    const decoder = createViewDecoder({
      dataset,
      workers: options.workers,
      slots: 4 + 2 * options.workers,
      viewBytes,
      ...(await keptImages(options, process.availableMemory(), softshardHome())),
    });
    const views = decode({
      decoder,
      recordOf: prepared.recordOf,
      viewBytes,
      ahead: 2 + options.workers,
      batch: 1,
    });
    const stage = cached(chain(views, pixelTargets), writer);
    try {
      let written = 0;
      await new Promise<void>((resolve, reject) =>
        runUnits(plan.units, stage, {
          credits: createCredits(options.credits * 1024 * 1024),
          emit: (event) => context.emit(event),
          signal: context.signal,
        }).subscribe({
          next: (unit) => {
            if (unit.state === 'written') written += 1;
            context.emit({
              type: 'unit',
              unit: unit.unit,
              total: plan.units.length,
              views: unit.views,
              state: unit.state,
            });
          },
          error: reject,
          complete: resolve,
        }),
      );
      await writer.seal();
      return { out: options.out, units: plan.units.length, written, found: plan.units.length - written };
    } finally {
      await decoder.close();
      await writer.close();
    }
  },
  describe: ({ out, units, written }) => `${units} units of pixels in ${out}, ${written} written now`,
});

function copyAndRelease(view: LeasedView): Uint8Array {
  const copy = Uint8Array.from(view.pixels);
  view.release();
  return copy;
}

stepMain(import.meta.url, command);
