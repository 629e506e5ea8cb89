/** What steps hand to each other: plain data that name files, told apart by `kind` so that the compiler can. */
import { resolve } from 'node:path';
import { z } from 'zod';

/** A data set on disk. */
export interface DatasetRef {
  readonly kind: 'dataset';
  /** Data yaml, or a folder. */
  readonly data: string;
  readonly split?: 'train' | 'val' | 'test' | 'all';
}

/** A teacher's cache. */
export interface CacheRef {
  readonly kind: 'cache';
  readonly dir: string;
  /** Units that were there before, and units in all. */
  readonly found: number;
  readonly units: number;
}

/** A teacher that answers while the student trains, in a process of its own that the training starts and ends. */
export interface LiveTeacherRef {
  readonly kind: 'live-teacher';
  readonly weights: string;
  /** The options of `teach` that choose its answers. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A finished training. */
export interface RunRef {
  readonly kind: 'run';
  readonly dir: string;
  readonly best: string;
  readonly last: string;
  /** Batches trained on. */
  readonly steps: number;
  readonly parameters: number;
  /** Whether it was finished before. */
  readonly found: boolean;
  /** As last measured on the validation split while training; null where it was not. */
  readonly metrics: Readonly<Record<'P' | 'R' | 'mAP50' | 'mAP50_95', number>> | null;
}

/** What a model reached on a data set. */
export interface Evaluation {
  readonly kind: 'evaluation';
  readonly weights: string;
  readonly images: number;
  readonly instances: number;
  readonly P: number;
  readonly R: number;
  readonly mAP50: number;
  readonly mAP50_95: number;
  readonly parameters: number;
  /** Bytes of the weight file. */
  readonly bytes: number;
  /** Time of the network alone, milliseconds an image. */
  readonly inferenceMs: number;
}

/** What a classifier reached on a data set. */
export interface Classification {
  readonly kind: 'classification';
  readonly weights: string;
  readonly images: number;
  /** Shares in 0...1: over all images, and the mean of the classes' own. */
  readonly accuracy: number;
  readonly meanClassAccuracy: number;
  readonly crossEntropy: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly inferenceMs: number;
}

/** Exported weights. */
export interface ExportRef {
  readonly kind: 'export';
  readonly dir: string;
}

/** A written report. */
export interface ReportRef {
  readonly kind: 'report';
  readonly file: string;
}

/** Weights in a file, from the project or from elsewhere. */
export interface WeightsRef {
  readonly kind: 'weights';
  readonly file: string;
}

/** The data set at `data`. */
export const dataset = (data: string, split?: DatasetRef['split']): DatasetRef => ({
  kind: 'dataset',
  data: resolve(data),
  ...(split === undefined ? {} : { split }),
});

/** The weights in `file`. */
export const weights = (file: string): WeightsRef => ({ kind: 'weights', file: resolve(file) });

const teachResult = z.looseObject({ cache: z.string(), units: z.number(), found: z.number() });
const trainResult = z.looseObject({
  run: z.string(),
  best: z.string(),
  last: z.string(),
  steps: z.number(),
  parameters: z.number(),
  found: z.boolean().default(false),
  metrics: z
    .looseObject({ P: z.number(), R: z.number(), mAP50: z.number(), mAP50_95: z.number() })
    .nullable()
    .default(null),
});
const evaluateResult = z.looseObject({
  weights: z.string(),
  images: z.number(),
  instances: z.number(),
  P: z.number(),
  R: z.number(),
  mAP50: z.number(),
  mAP50_95: z.number(),
  parameters: z.number(),
  bytes: z.number(),
  speed: z.looseObject({ inferenceMs: z.number() }),
});

const classifyResult = z.looseObject({
  weights: z.string(),
  images: z.number(),
  accuracy: z.number(),
  meanClassAccuracy: z.number(),
  crossEntropy: z.number(),
  parameters: z.number(),
  bytes: z.number(),
  speed: z.looseObject({ inferenceMs: z.number() }),
});

/** Readers of the steps' results. Each throws a ZodError on what is none. */
export const decodeResult = {
  teach: (value: unknown): CacheRef => {
    const { cache, units, found } = teachResult.parse(value);
    return { kind: 'cache', dir: resolve(cache), units, found };
  },
  train: (value: unknown): RunRef => {
    const { run, best, last, steps, parameters, found, metrics } = trainResult.parse(value);
    return { kind: 'run', dir: run, best, last, steps, parameters, found, metrics };
  },
  evaluate: (value: unknown): Evaluation => {
    const { speed, weights: file, images, instances, P, R, ...rest } = evaluateResult.parse(value);
    const { mAP50, mAP50_95, parameters, bytes } = rest;
    return {
      ...{ kind: 'evaluation', weights: file, images, instances, P, R },
      ...{ mAP50, mAP50_95, parameters, bytes, inferenceMs: speed.inferenceMs },
    };
  },
  classify: (value: unknown): Classification => {
    const { speed, weights: file, images, parameters, bytes, ...rest } = classifyResult.parse(value);
    const { accuracy, meanClassAccuracy, crossEntropy } = rest;
    return {
      ...{ kind: 'classification', weights: file, images, accuracy, meanClassAccuracy, crossEntropy },
      ...{ parameters, bytes, inferenceMs: speed.inferenceMs },
    };
  },
  crop: (value: unknown): DatasetRef => dataset(z.looseObject({ data: z.string() }).parse(value).data),
  report: (value: unknown): ReportRef => ({
    kind: 'report',
    file: z.looseObject({ report: z.string() }).parse(value).report,
  }),
} as const;
