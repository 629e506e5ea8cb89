/** Measures a detection model on a data set: mAP as YOLOv5's validation computes it, and COCO's on request. */
import { checkClasses } from '../data/class-names.ts';
import type { BoxLabel, Dataset } from '../data/sample.ts';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { Detection, TrueBox } from '../metric/box.ts';
import type { PrecisionCurves } from '../metric/average-precision.ts';
import { confusionMatrix } from '../metric/confusion-matrix.ts';
import { cocoMetrics, type CocoResult } from '../metric/coco-metrics.ts';
import { detectionMetrics, type EvaluationResult } from '../metric/detection-metrics.ts';
import { boxLabels, labelBoxes } from '../metric/label-boxes.ts';
import { scaleBoxes } from '../metric/scale-boxes.ts';
import type { InferenceModel } from '../model/inference.ts';
import { annotationsOf } from './annotations-of.ts';
import { detectionsOf, headsOf, type BatchHeads } from './detect-batch.ts';
import { evaluationBatches, loadEvaluationBatch, type LoadedBatch } from './evaluation-batch.ts';

export interface EvaluateOptions {
  readonly model: InferenceModel;
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** Length of the longer side, pixels; a multiple of the model's largest stride. */
  readonly imageSize: number;
  /** Images a batch, >= 1; 8 by default. */
  readonly batchSize?: number;
  /** Batches of like aspect, as small as they can be (pad 0.5); false by default: all square. */
  readonly rect?: boolean;
  /** Detections below are left out, 0...1; 0.001 by default. */
  readonly confThreshold?: number;
  /** Overlap above which the weaker box goes, 0...1; 0.6 by default. */
  readonly iouThreshold?: number;
  /** Detections an image; 300 by default. */
  readonly maxDetections?: number;
  /** Measure as COCO does, too; false by default. */
  readonly coco?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with images done and in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called with what each batch gave before its boxes are decoded. */
  readonly onBatch?: (batch: EvaluatedBatch) => void;
  /** Sample indices whose detections are returned. */
  readonly keepDetections?: readonly number[];
  /** Milliseconds of a monotonic clock; without one no speed is returned. */
  readonly clock?: () => number;
}

/** A batch's raw heads beside its labels. */
export interface EvaluatedBatch {
  /** Raw heads, one a level: [images, ny, nx, na, no] float32. */
  readonly heads: readonly BatchHeads[];
  /** Rows (image in batch, class, cx, cy, w, h), normalised to the network's input, float32 [T,6]. */
  readonly labels: Float32Array;
  readonly images: number;
}

/** Milliseconds an image. */
export interface EvaluationSpeed {
  /** Waiting for decoded and resized pixels, which are prepared one batch ahead. */
  readonly decodeMs: number;
  readonly inferenceMs: number;
  /** Box decoding and non-maximum suppression. */
  readonly nmsMs: number;
}

export interface Evaluation {
  readonly metrics: EvaluationResult;
  /** Where it was asked for. Measured against the annotations in original pixels, as the file has them. */
  readonly coco: CocoResult | undefined;
  readonly curves: PrecisionCurves;
  /** Counts, [predicted][true], the last being the background; detections above 0.25. */
  readonly confusion: readonly (readonly number[])[];
  /** mAP50-95 of every class, [nc]; that over all classes where one has no labels. */
  readonly maps: Float64Array;
  readonly speed: EvaluationSpeed | undefined;
  /** By sample index, in pixels of the original image, descending scores; those of `keepDetections`. */
  readonly detections: ReadonlyMap<number, readonly Detection[]>;
}

/** An image's labels, normalised to the network's input. */
function placedLabels({ samples, placements, width, height }: LoadedBatch, i: number): BoxLabel[] {
  const sample = samples[i];
  const placement = placements[i];
  if (sample === undefined || placement === undefined) throw new Error(`the batch has no image ${i}`);
  const { inner, ratioPad } = placement;
  const placed = labelBoxes(sample.labels ?? [], inner, ratioPad.padX, ratioPad.padY);
  return boxLabels(placed, { width, height });
}

/** The same in original pixels, by the way back that detections take. */
function trueBoxes(batch: LoadedBatch, i: number, labels: readonly BoxLabel[]): TrueBox[] {
  const sample = batch.samples[i];
  if (sample === undefined) throw new Error(`the batch has no image ${i}`);
  return scaleBoxes(labelBoxes(labels, batch), batch, sample, batch.placements[i]?.ratioPad);
}

const rowsOf = (images: readonly (readonly BoxLabel[])[]): Float32Array =>
  Float32Array.from(
    images.flatMap((labels, image) =>
      labels.flatMap(({ classIndex, cx, cy, w, h }) => [image, classIndex, cx, cy, w, h]),
    ),
  );

function check({ dataset, model, imageSize }: EvaluateOptions, stride: number): void {
  const { names, namesKnown, samples } = dataset;
  const { head } = model;
  if (imageSize % stride !== 0) {
    throw new SoftshardError('E_USAGE', {
      message: 'The image size does not fit the model.',
      where: '--imgsz',
      expected: `a multiple of ${stride}`,
      found: String(imageSize),
    });
  }
  if (namesKnown && names.length !== head.nc) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Model and data set have different numbers of classes.',
      where: dataset.root,
      expected: `${head.nc} classes (${head.names.slice(0, 5).join(', ')}…)`,
      found: `${names.length} classes (${names.slice(0, 5).join(', ')}…)`,
      remedy: 'Give the data set that the model was trained for.',
    });
  }
  checkClasses(samples, head.nc);
}

/**
 * Runs `model` over the labelled images of `dataset` (unlabelled ones are skipped) and matches what it finds with
 * their labels. Pixels, suppression and figures follow YOLOv5 v7.0. Two batches are in memory at most.
 *
 * Throws E_DATA_EMPTY without labelled images, E_OPTION_CONFLICT or E_LABEL when the classes do not fit, E_USAGE,
 * E_IMAGE, E_FILE, E_ABORTED. The model stays the caller's.
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  const { model, dataset, imageSize, signal, clock } = options;
  const { batchSize = 8, rect = false, maxDetections = 300 } = options;
  const { confThreshold = 0.001, iouThreshold = 0.6 } = options;
  const stride = Math.max(...model.head.strides);
  check(options, stride);
  const samples = dataset.samples.filter(({ labels }) => labels !== undefined);
  if (samples.length === 0) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'No image of the split carries labels to measure against.',
      where: `${dataset.root}, split ${dataset.split}`,
      found: `${dataset.samples.length} images without annotation`,
      remedy: 'Name a labelled split with --split.',
    });
  }
  const batches = evaluationBatches(samples, { imageSize, batchSize, rect, stride });
  const names = dataset.namesKnown ? dataset.names : model.head.names;
  const metrics = detectionMetrics(names);
  const confusion = confusionMatrix(names.length);
  const coco = options.coco === true ? cocoMetrics(names) : undefined;
  const kept = new Set(options.keepDetections);
  const detections = new Map<number, readonly Detection[]>();
  const spent = { decode: 0, inference: 0, nms: 0 };
  const now = (): number => clock?.() ?? 0;
  const start = (index: number): Promise<LoadedBatch> | undefined => {
    const batch = batches[index];
    if (batch === undefined) return undefined;
    const loading = loadEvaluationBatch(batch, imageSize, signal);
    // Reported where it is awaited; until then the rejection counts as handled.
    loading.catch(() => undefined);
    return loading;
  };

  let next = start(0);
  let done = 0;
  try {
    for (let b = 0; next !== undefined; b++) {
      const began = now();
      const batch = await next;
      next = start(b + 1);
      if (signal?.aborted === true) {
        throw new SoftshardError('E_ABORTED', {
          message: 'The evaluation was cancelled.',
          cause: signal.reason,
        });
      }
      const loaded = now();
      const heads = headsOf(model, batch);
      const inferred = now();
      const labels = batch.samples.map((_, i) => placedLabels(batch, i));
      options.onBatch?.({ heads, labels: rowsOf(labels), images: labels.length });
      for (const [i, sample] of batch.samples.entries()) {
        const nms = { confThreshold, iouThreshold, maxDetections, multiLabel: true };
        const found = detectionsOf(model, heads, batch, i, nms);
        const truths = trueBoxes(batch, i, labels[i] ?? []);
        metrics.add(found, truths);
        confusion.add(found, truths);
        coco?.add(sample.index, found, annotationsOf(sample));
        if (kept.has(sample.index)) detections.set(sample.index, found);
      }
      spent.decode += loaded - began;
      spent.inference += inferred - loaded;
      spent.nms += now() - inferred;
      done += batch.samples.length;
      options.onProgress?.(done, samples.length);
    }
  } finally {
    await next?.catch(() => undefined);
  }
  return {
    metrics: metrics.result(),
    coco: coco?.result(),
    maps: metrics.maps(),
    curves: metrics.curves(),
    confusion: confusion.counts(),
    speed:
      clock === undefined
        ? undefined
        : {
            decodeMs: spent.decode / done,
            inferenceMs: spent.inference / done,
            nmsMs: spent.nms / done,
          },
    detections,
  };
}
