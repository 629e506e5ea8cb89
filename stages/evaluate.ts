/**
 * Measures a model on a labelled data set: precision, recall, mAP50 and mAP50-95, as YOLOv5 v7.0's validation does, or
 * with COCO's mAP; a classifier by its accuracy.
 *
 *     softshard evaluate --weights runs/train/best.safetensors --data coco128.yaml --imgsz 640 --rect
 */
import { z } from 'zod';
import { dataOption } from '../src/data/data-option.ts';
import { readDataset } from '../src/data/read-dataset.ts';
import type { EngineInfo } from '../src/engine/engine.ts';
import {
  CLASSIFICATION_FORMAT,
  classifierText,
  type ClassifierEvaluation,
} from '../src/evaluate/classifier-evaluation.ts';
import { classifyImages } from '../src/evaluate/classify-images.ts';
import { evaluateModel, type EvaluationSpeed } from '../src/evaluate/evaluate-model.ts';
import { evaluationSplit } from '../src/evaluate/evaluation-split.ts';
import { evaluationTable } from '../src/evaluate/evaluation-text.ts';
import { loadInference } from '../src/evaluate/load-model.ts';
import { EVENT_FORMAT } from '../src/flow/events.ts';
import { engineOptions } from '../src/flow/engine-options.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { cocoFigures, cocoText, withCocoPrecision } from '../src/evaluate/coco-evaluation.ts';
import type { CocoFigures } from '../src/metric/coco-metrics.ts';
import type { EvaluationResult } from '../src/metric/detection-metrics.ts';
import { isClassifier } from '../src/model/detector.ts';
import { parameterCount } from '../src/model/graph.ts';

export const evaluateOptionsSchema = z.strictObject({
  weights: z.string().describe('weights to measure (.pt, safetensors)').meta({ placeholder: 'FILE' }),
  data: dataOption,
  cfg: z
    .string()
    .optional()
    .describe('model yaml, or the name of a built-in one; needed for a plain state dict'),
  split: z
    .enum(['train', 'val', 'test', 'all'])
    .optional()
    .describe('split to measure on; by default val, else test, else train, else everything'),
  imgsz: z.int().min(32).multipleOf(32).default(640).describe('longer side').meta({ unit: 'pixels' }),
  rect: z.boolean().default(false).describe('batches of images of like aspect, with little padding'),
  batchSize: z.int().min(1).default(8).describe('images a batch'),
  metric: z
    .enum(['yolo', 'coco'])
    .default('yolo')
    .describe(
      'whose mAP: that of YOLOv5, or COCO’s (at most 100 detections an image and class, crowds ignored)',
    ),
  confThres: z.number().min(0).max(1).default(0.001).describe('lowest score of a detection'),
  iouThres: z.number().min(0).max(1).default(0.6).describe('overlap above which the weaker box goes'),
  maxDet: z.int().min(1).default(300).describe('most detections an image'),
  badImages: z.enum(['drop', 'error']).default('drop').describe('what to do with unusable images and labels'),
  ...engineOptions,
});

export type EvaluateStepOptions = z.output<typeof evaluateOptionsSchema>;

export const EVALUATION_FORMAT = { format: 'softshard-evaluation', major: 1, minor: 1 } as const;

/** What `softshard evaluate --json` prints. */
export interface EvaluateStepResult extends EvaluationResult {
  readonly format: typeof EVALUATION_FORMAT.format;
  readonly major: number;
  readonly minor: number;
  /** Whose mAP50 and mAP50_95 the figures are. */
  readonly metric: 'yolo' | 'coco';
  /** COCO's twelve numbers; null unless asked for. P and R are YOLOv5's in any case. */
  readonly coco: CocoFigures | null;
  readonly weights: string;
  readonly data: string;
  readonly split: string;
  readonly imgsz: number;
  readonly rect: boolean;
  /** Trainable values, and bytes of the weight file. */
  readonly parameters: number;
  readonly bytes: number;
  /** Milliseconds an image, by part. */
  readonly speed: EvaluationSpeed;
  readonly engine: EngineInfo;
  /** What was left out, with the reason. */
  readonly dropped: readonly { readonly path: string; readonly reason: string }[];
}

/** Measures `weights` on `data`. See `evaluateModel`, `classifyImages` and `loadModel` for the errors. */
export async function evaluate(
  options: EvaluateStepOptions,
  context: StepContext,
): Promise<EvaluateStepResult | ClassifierEvaluation> {
  const { weights, data, cfg, imgsz, rect, badImages } = options;
  const { signal } = context;
  const split = options.split ?? (await evaluationSplit(data));
  const onWarning = (message: string): void => context.warn(message);
  const dataset = await readDataset({ data, split, badImages, signal, checks: imageCheckStore(), onWarning });
  for (const { path, reason } of dataset.dropped) context.warn(`dropped ${path}: ${reason}`);
  const { engine, reason } = await openStepEngine(options);
  context.info(`engine ${engine.info.name} on ${engine.info.device} (${reason})`);
  const defaultNames = dataset.namesKnown ? dataset.names : undefined;
  const loaded = await loadInference({ weights, cfg, defaultNames, engine });
  try {
    const total = dataset.samples.length;
    context.emit({
      type: 'start',
      version: EVENT_FORMAT,
      message: `${weights} on split ${split} of ${data}: ${total} images at ${imgsz}`,
      total,
    });
    const began = performance.now();
    let told = began;
    const onProgress = (done: number, all: number): void => {
      if (done < all && performance.now() - told < 1000) return;
      told = performance.now();
      const rate = done / ((performance.now() - began) / 1000);
      const etaS = (all - done) / rate;
      context.emit({ type: 'step', done, total: all, of: 'images', rate, etaS });
    };
    const clock = (): number => performance.now();
    const common = {
      ...{ weights, data, split, imgsz, bytes: loaded.bytes, engine: engine.info, dropped: dataset.dropped },
      parameters: parameterCount(loaded.graph),
    };
    if (isClassifier(loaded.graph.head)) {
      const { batchSize } = options;
      const { inferenceMs = 0, ...classified } = await classifyImages({
        ...{ model: loaded.model, dataset, imageSize: imgsz, batchSize, signal, clock, onProgress },
      });
      return { ...CLASSIFICATION_FORMAT, ...classified, ...common, speed: { inferenceMs } };
    }
    const { metrics, coco, speed } = await evaluateModel({
      model: loaded.model,
      engine,
      dataset,
      imageSize: imgsz,
      batchSize: options.batchSize,
      rect,
      confThreshold: options.confThres,
      iouThreshold: options.iouThres,
      maxDetections: options.maxDet,
      coco: options.metric === 'coco',
      signal,
      clock,
      onProgress,
    });
    return {
      ...EVALUATION_FORMAT,
      ...(coco === undefined ? metrics : withCocoPrecision(metrics, coco)),
      metric: options.metric,
      coco: coco === undefined ? null : cocoFigures(coco),
      ...common,
      rect,
      speed: speed ?? { decodeMs: 0, inferenceMs: 0, nmsMs: 0 },
    };
  } finally {
    loaded.model.dispose();
  }
}

export const command = defineStep({
  name: 'evaluate',
  summary: 'Measures the mAP of a model on a labelled data set, or the accuracy of a classifier.',
  options: evaluateOptionsSchema,
  run: evaluate,
  describe: (result) => {
    if (result.format === CLASSIFICATION_FORMAT.format) return classifierText(result);
    const { decodeMs, inferenceMs, nmsMs } = result.speed;
    return [
      evaluationTable(result),
      ...(result.coco === null ? [] : [cocoText(result.coco)]),
      `split ${result.split} at ${result.imgsz}${result.rect ? ', rectangular batches' : ''}; an image took ` +
        `${inferenceMs.toFixed(1)} ms in the network, ${nmsMs.toFixed(1)} ms in NMS, ` +
        `${decodeMs.toFixed(1)} ms waiting for pixels`,
    ].join('\n');
  },
});

stepMain(import.meta.url, command);
