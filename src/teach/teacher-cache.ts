/** What a teacher's cache says about itself: written by `teach`, read by `train`. */
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
import { isClassifier, type HeadSpec } from '../model/detector.ts';

/** How views are made from images; part of the identity, so that a change of the arithmetic is told. */
const PIXELS = { imageScale: 'rgb/255', resize: 'opencv-bilinear', padValue: 114 } as const;

/** A teacher's place in the identity. */
export interface TeacherSummary {
  /** Of its values and description, or of the file of a foreign graph. */
  readonly digest: string;
  /** What kind of foreign graph it is, and the tensors of its heads; absent from models that Softshard computes. */
  readonly format?: 'onnx' | 'tfjs';
  readonly heads?: readonly string[];
  /** With the anchors of the weights. */
  readonly head: HeadSpec;
  /** Every layer in order, or those that `layer` numbers. */
  readonly layers: readonly {
    readonly layer?: number;
    /** Its module, or its tensor in a foreign graph. */
    readonly type: string;
    readonly channels: number;
    readonly stride: number;
  }[];
}

export interface TeacherIdentityInput {
  readonly dataset: Dataset;
  readonly seed: number;
  readonly augmentation: Augmentation;
  /** Last views of each sample that are without mosaic; 0 by default. */
  readonly closeMosaic?: number;
  readonly imageSize: number;
  readonly teacher: TeacherSummary;
  /** Numbers of the layers whose outputs are answered. */
  readonly hints: readonly number[];
  /** Which detections are cached in place of the heads. */
  readonly detections?: PseudoLabelOptions | undefined;
  /** Bounds on the error of the heads' codec, where there are any. */
  readonly bounds?: ErrorBounds | undefined;
}

/** The identity of a cache of these answers; plain data. */
export function teacherIdentity(input: TeacherIdentityInput): Identity {
  const { dataset, seed, augmentation, closeMosaic = 0, imageSize } = input;
  const { teacher, hints, bounds, detections } = input;
  return canonicalJson({
    data: dataset.digest,
    samples: dataset.samples.length,
    dropped: dataset.dropped.map(({ path }) => path),
    seed,
    augmentation,
    partners: partnerIdentity(dataset.samples, augmentation),
    preprocessing: { imgsz: imageSize, ...PIXELS },
    ...(closeMosaic === 0 ? {} : { closeMosaic }),
    teacher,
    answers: {
      ...(isClassifier(teacher.head) ? { logits: true } : { heads: detections === undefined }),
      hints,
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
      task: z.literal('classify').optional(),
      nc: z.int().min(1),
      na: z.int().min(1),
      no: z.int().min(1),
      strides: z.array(z.number().positive()),
      anchors: z.array(z.array(z.tuple([z.number(), z.number()]))),
      names: z.array(z.string()),
    }),
    heads: z.array(z.string()).optional(),
    layers: z.array(
      z.looseObject({
        layer: z.int().min(0).optional(),
        type: z.string().optional(),
        channels: z.int().min(1),
        stride: z.number().positive(),
      }),
    ),
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
  /** Output channels and stride of each layer before the head; of a foreign graph, of those that are cached. */
  readonly layerChannels: readonly (number | undefined)[];
  readonly layerStrides: readonly (number | undefined)[];
  readonly hints: readonly number[];
  /** What a command has to name to get the same answers: tensors of a foreign graph's heads, and hints. */
  readonly asked: { readonly heads: readonly string[]; readonly hints: readonly (number | string)[] };
  /** How the detections that it holds in place of heads were chosen; undefined where it holds heads. */
  readonly detections: PseudoLabelOptions | undefined;
  readonly teacherDigest: string;
  readonly provenance: JsonRecord;
}

/** A property of layers by their number, which is their place unless they have one. */
function byLayer<T extends { readonly layer?: number | undefined }>(
  layers: readonly T[],
  property: (layer: T) => number,
): (number | undefined)[] {
  const numbered = new Map(layers.map((each, place) => [each.layer ?? place, property(each)] as const));
  return Array.from({ length: Math.max(-1, ...numbered.keys()) + 1 }, (_, layer) => numbered.get(layer));
}

/** Reads a manifest. Throws E_CACHE_FORMAT naming what is missing when no teacher made the cache. */
export function describeTeacherCache(manifest: Manifest): TeacherCache {
  const parsed = identitySchema.safeParse(manifest.identity);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SoftshardError('E_CACHE_FORMAT', {
      message: 'The cache does not hold the answers of a teacher.',
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
    layerChannels: byLayer(teacher.layers, ({ channels }) => channels),
    layerStrides: byLayer(teacher.layers, ({ stride }) => stride),
    hints: answers.hints,
    asked: {
      heads: teacher.heads ?? [],
      hints: answers.hints.map((hint) => {
        const tensor = teacher.layers.find(({ layer }) => layer === hint)?.type;
        return tensor === undefined || tensor.startsWith(`/model.${hint}/`) ? hint : tensor;
      }),
    },
    detections: answers.detections,
    teacherDigest: teacher.digest,
    provenance: manifest.provenance,
  };
}
