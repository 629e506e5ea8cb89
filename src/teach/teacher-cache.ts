/** What a detection teacher's cache says about itself: written by `teach`, read by `train`. */
import { z } from 'zod';
import { augmentationSchema, type Augmentation } from '../augment/augmentation.ts';
import { partnerIdentity } from '../augment/partners.ts';
import type { Identity, JsonRecord } from '../cache/identity.ts';
import type { ErrorBounds } from '../codec-error/choose-parameters.ts';
import { canonicalJson } from '../text/canonical-json.ts';
import type { Manifest } from '../cache/manifest.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import type { PseudoLabelOptions } from '../loss/pseudo-labels.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { ModelGraph } from '../model/graph.ts';

/** How views are made from images; part of the identity, so that a change of the arithmetic is told. */
const PIXELS = { imageScale: 'rgb/255', resize: 'opencv-bilinear', padValue: 114 } as const;

export interface TeacherIdentityInput {
  readonly dataset: Dataset;
  readonly seed: number;
  readonly augmentation: Augmentation;
  /** Last views of each sample that are without mosaic; 0 by default. */
  readonly closeMosaic?: number;
  readonly imageSize: number;
  readonly digest: string;
  readonly graph: ModelGraph;
  /** With the anchors of the weights. */
  readonly head: HeadSpec;
  readonly hints: readonly number[];
  /** Which detections are cached in place of the heads. */
  readonly detections?: PseudoLabelOptions | undefined;
  /** Bounds on the error of the heads' codec, where there are any. */
  readonly bounds?: ErrorBounds | undefined;
}

/** The identity of a cache of these answers; plain data. */
export function teacherIdentity(input: TeacherIdentityInput): Identity {
  const { dataset, seed, augmentation, closeMosaic = 0, imageSize, digest } = input;
  const { graph, head, hints, bounds, detections } = input;
  return canonicalJson({
    data: dataset.digest,
    samples: dataset.samples.length,
    dropped: dataset.dropped.map(({ path }) => path),
    seed,
    augmentation,
    partners: partnerIdentity(dataset.samples, augmentation),
    preprocessing: { imgsz: imageSize, ...PIXELS },
    ...(closeMosaic === 0 ? {} : { closeMosaic }),
    teacher: {
      digest,
      head,
      layers: graph.layers.map(({ type, module, stride }) => ({
        type,
        channels: module.outChannels,
        stride,
      })),
    },
    answers: {
      ...{ heads: detections === undefined, hints },
      ...(bounds === undefined ? {} : { bounds }),
      ...(detections === undefined ? {} : { detections }),
    },
  }) as Identity;
}

const identitySchema = z.looseObject({
  data: z.string(),
  samples: z.int().min(1),
  seed: z.int().min(0),
  augmentation: augmentationSchema,
  partners: z.looseObject({ labelled: z.int().min(1), digest: z.string() }).optional(),
  preprocessing: z.looseObject({ imgsz: z.int().min(1) }),
  closeMosaic: z.int().min(0).default(0),
  teacher: z.looseObject({
    digest: z.string(),
    head: z.looseObject({
      nc: z.int().min(1),
      na: z.int().min(1),
      no: z.int().min(6),
      strides: z.array(z.number().positive()),
      anchors: z.array(z.array(z.tuple([z.number(), z.number()]))),
      names: z.array(z.string()),
    }),
    layers: z.array(z.looseObject({ channels: z.int().min(1), stride: z.number().positive() })),
  }),
  answers: z.looseObject({
    hints: z.array(z.int().min(0)),
    detections: z.looseObject({ confidence: z.number(), iou: z.number(), maxDetections: z.int() }).optional(),
  }),
});

/** A teacher's cache, as a training sees it. */
export interface TeacherCache {
  readonly dataDigest: string;
  readonly samples: number;
  readonly imageSize: number;
  readonly seed: number;
  readonly augmentation: Augmentation;
  /** Last views of each sample that are without mosaic. */
  readonly closeMosaic: number;
  /** Which samples were labelled when the views were drawn, where that decides pixels. */
  readonly partners: JsonRecord | undefined;
  readonly views: number;
  readonly unitViews: number;
  readonly head: HeadSpec;
  /** Output channels and stride of each layer before the head. */
  readonly layerChannels: readonly number[];
  readonly layerStrides: readonly number[];
  readonly hints: readonly number[];
  /** How the detections that it holds in place of heads were chosen; undefined where it holds heads. */
  readonly detections: PseudoLabelOptions | undefined;
  readonly teacherDigest: string;
  readonly provenance: JsonRecord;
}

/** Reads a manifest. Throws E_CACHE_FORMAT naming what is missing when no detection teacher made the cache. */
export function describeTeacherCache(manifest: Manifest): TeacherCache {
  const parsed = identitySchema.safeParse(manifest.identity);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SoftshardError('E_CACHE_FORMAT', {
      message: 'The cache does not hold the answers of a detection teacher.',
      where: `identity.${issue?.path.join('.') ?? ''}`,
      expected: issue?.message ?? 'the identity that softshard teach writes',
      cause: parsed.error,
    });
  }
  const { data, samples, seed, augmentation, closeMosaic, partners, preprocessing, teacher, answers } =
    parsed.data;
  return {
    dataDigest: data,
    samples,
    imageSize: preprocessing.imgsz,
    seed,
    augmentation,
    closeMosaic,
    partners: partners === undefined ? undefined : { labelled: partners.labelled, digest: partners.digest },
    views: manifest.extent.views,
    unitViews: manifest.extent.unitViews,
    head: teacher.head,
    layerChannels: teacher.layers.map((layer) => layer.channels),
    layerStrides: teacher.layers.map((layer) => layer.stride),
    hints: answers.hints,
    detections: answers.detections,
    teacherDigest: teacher.digest,
    provenance: manifest.provenance,
  };
}
