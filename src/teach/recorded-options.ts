/** The options of `teach` that made a cache, read back from its manifest: what is left to name are files. */
import { z } from 'zod';
import type { Manifest } from '../cache/manifest.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { dataOption } from '../data/data-option.ts';
import { HEADS_KIND } from './answers.ts';
import { viewPlanOptions } from './prepare-plan.ts';
import { describeTeacherCache } from './teacher-cache.ts';
import { teachOptionsSchema, type TeachStepOptions } from './teach-options.ts';

/** Options of a command that recomputes answers of a cache; everything else is as the cache records it. */
export const recordedTeacherOptions = {
  weights: z.string().optional().describe('the teacher that made the cache').meta({ placeholder: 'FILE' }),
  cfg: z.string().optional().describe('model yaml, for weights that do not hold their description'),
  data: dataOption.optional(),
  split: viewPlanOptions.split,
  workers: z.int().min(0).default(1).describe('decoding threads; 0 decodes in the main thread'),
  threads: engineOptions.threads,
  engine: engineOptions.engine.describe('engine; that of the cache by default'),
} as const;

export type RecordedTeacherOptions = z.output<z.ZodObject<typeof recordedTeacherOptions>>;

/** The files that a command names, and how it computes. */
export type TeacherFiles = RecordedTeacherOptions & { readonly weights: string; readonly data: string };

const namedBounds = z.looseObject({ loss: z.number(), gradient: z.number(), term: z.number() }).optional();

/** Puts the manifest's options beside the files. Throws E_CACHE_FORMAT when no detection teacher made the cache. */
export function recordedOptions(manifest: Manifest, cache: string, files: TeacherFiles): TeachStepOptions {
  const { imageSize, seed, augmentation, closeMosaic, views, unitViews, asked, detections, provenance } =
    describeTeacherCache(manifest);
  const { extent, identity } = manifest;
  const codecs = new Map(extent.answers.map(({ kind, codec }) => [kind, codec]));
  const features = extent.answers.find(({ kind }) => kind !== HEADS_KIND)?.codec;
  const { bounds } = z.looseObject({ bounds: namedBounds }).parse(identity['answers']);
  const dropped = identity['dropped'];
  const isPlain = Object.values(augmentation).every((value) => value === 0);
  const { weights, cfg, data, split, workers, threads, engine } = files;
  return teachOptionsSchema.parse({
    ...{ weights, cfg, data, split, workers, threads, engine },
    ...{ cache, imgsz: imageSize, seed, closeMosaic, views, unitViews, ...asked },
    set: isPlain ? {} : { hyp: augmentation },
    badImages: Array.isArray(dropped) && dropped.length > 0 ? 'drop' : 'error',
    codec: codecs.get(HEADS_KIND),
    hintCodec: features,
    ...(detections === undefined
      ? {}
      : {
          answers: 'detections',
          ...{ confThres: detections.confidence, iouThres: detections.iou, maxDet: detections.maxDetections },
        }),
    ...(bounds === undefined
      ? {}
      : { maxLossError: bounds.loss, maxGradientError: bounds.gradient, maxTermError: bounds.term }),
    teachBatch: provenance['teachBatch'],
  });
}
