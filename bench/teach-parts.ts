/** CPU seconds that the parts of `teach` beside the teacher take for one view: decoding, encoding, writing. */
import { join } from 'node:path';
import { lastValueFrom, map } from 'rxjs';
import { z } from 'zod';
import { createViewDecoder } from '../src/augment/view-decoder.ts';
import { codecOf, folderStore, openCacheForWriting, type Target } from '../src/cache/index.ts';
import { createCredits } from '../src/flow/credits.ts';
import { runUnits } from '../src/flow/run-units.ts';
import { drawKey, uniform } from '../src/random/keyed.ts';
import { chain } from '../src/stage.ts';
import { preparePlan, viewPlanOptions } from '../src/teach/prepare-plan.ts';
import { decode, type LeasedView } from '../stages/decode.ts';
import { cpuSeconds } from './cpu-seconds.ts';

export interface TeachParts {
  readonly decode: number;
  readonly encode: number;
  /** Checksums, digests and the disk. */
  readonly write: number;
}

const CODEC = 'fp16';
const STRIDES = [8, 16, 32];

/** Answers of the size of a detector's three heads over 80 classes, spread as logits are. */
export const exampleAnswers = (size: number): Target['blobs'] =>
  new Map(
    STRIDES.map((stride, level) => {
      const shape = [size / stride, size / stride, 3, 85];
      const key = drawKey(0, 'bench', level);
      const drawn = Float32Array.from({ length: 4096 }, (_, i) => uniform(key, i, -8, 8));
      const length = shape.reduce((a, b) => a * b, 1);
      return [
        `head.${level}`,
        { shape, data: Float32Array.from({ length }, (_, i) => drawn[i % 4096] ?? 0) },
      ];
    }),
  );

/** Measures each part alone over all images of `data`; the process must be idle otherwise. */
export const teachParts = async (folder: string, data: string, size: number): Promise<TeachParts> => {
  const options = z.object(viewPlanOptions).parse({ data, imgsz: size });
  const { signal } = new AbortController();
  const { dataset, plan, recordOf } = await preparePlan(options, { signal, warn: () => undefined });
  const views = plan.samples;

  const viewBytes = size * size * 3;
  // Each image is read once by a teacher: none is found in memory.
  const decoder = createViewDecoder({ dataset, workers: 1, slots: 18, viewBytes, imageCacheBytes: 0 });
  const released = chain(decode({ decoder, recordOf, viewBytes, ahead: 9, batch: 1 }), ({ items }) =>
    items.pipe(map((view: LeasedView) => view.release())),
  );
  const context = { credits: createCredits(64 * 2 ** 20), emit: () => undefined, signal };
  const decodeAll = (): Promise<unknown> => lastValueFrom(runUnits(plan.units, released, context));
  // The decoder's thread starts, and its code becomes fast.
  await decodeAll();
  const decoding = await cpuSeconds(decodeAll);
  await decoder.close();

  const blobs = exampleAnswers(size);
  const codec = codecOf(CODEC);
  const encoding = await cpuSeconds(() => {
    for (let i = 0; i < views; i++) for (const blob of blobs.values()) codec.encode(blob, 'bench');
  });

  const writer = await openCacheForWriting({
    store: folderStore(join(folder, 'parts')),
    localDir: undefined,
    identity: { bench: 1 },
    provenance: {},
    extent: {
      samples: plan.samples,
      unitViews: plan.unitViews,
      views: plan.views,
      answers: [{ kind: 'heads', blobs: [...blobs.keys()], codec: CODEC }],
    },
  });
  const both = await cpuSeconds(async () => {
    for (const unit of plan.units) {
      const targets = unit.views.map(({ sample, view }) => ({
        ...{ sample, view, inputDigest: sample.toString(16).padStart(16, '0'), record: {}, blobs },
      }));
      await writer.writeUnit(unit, targets);
    }
  });
  await writer.close();
  return { decode: decoding / views, encode: encoding / views, write: Math.max(0, both - encoding) / views };
};
