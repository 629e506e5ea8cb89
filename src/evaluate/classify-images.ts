/** Measures a classifier on images of one class each. */
import * as tf from '@tensorflow/tfjs-core';
import { checkClasses } from '../data/class-names.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { classificationMetrics, type ClassificationMetrics } from '../metric/classification-metrics.ts';
import type { InferenceModel } from '../model/inference.ts';
import { evaluationBatches, loadEvaluationBatch, type LoadedBatch } from './evaluation-batch.ts';

export interface ClassifyOptions {
  readonly model: Pick<InferenceModel, 'forward' | 'head'>;
  readonly dataset: Dataset;
  /** Side of the square input, pixels; a multiple of the model's stride. */
  readonly imageSize: number;
  /** Images a batch, >= 1; 32 by default. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with images done and in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Milliseconds of a monotonic clock; without one no speed is returned. */
  readonly clock?: () => number;
}

export interface ClassifiedImages extends ClassificationMetrics {
  /** Milliseconds an image in the network; undefined without a clock. */
  readonly inferenceMs: number | undefined;
}

/** Logits of a batch on the host, [B,nc]. */
function logitsOf(model: ClassifyOptions['model'], batch: LoadedBatch): Float32Array {
  return tf.tidy(() => {
    const x = tf.tensor4d(batch.pixels, [batch.samples.length, batch.height, batch.width, 3]);
    const [head] = model.forward(x).heads;
    if (head === undefined) throw new Error('a classifier without a head');
    return head.dataSync<'float32'>();
  });
}

/**
 * Accuracy, by class and over all, on the labelled images of `dataset`. Throws E_DATA_EMPTY without one,
 * E_OPTION_CONFLICT where classes do not fit or an image has not one label, E_IMAGE, E_FILE, E_ABORTED.
 */
export async function classifyImages(options: ClassifyOptions): Promise<ClassifiedImages> {
  const { model, dataset, imageSize, batchSize = 32, signal, clock } = options;
  const { head } = model;
  checkClasses(dataset.samples, head.nc);
  const samples = dataset.samples.filter(({ labels }) => labels?.length === 1);
  if (samples.length === 0) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'No image of the split has one label to measure a classifier against.',
      where: `${dataset.root}, split ${dataset.split}`,
      found: `${dataset.samples.length} images`,
      remedy: 'Name a labelled split with --split, or cut the boxes out with softshard crop.',
    });
  }
  const names = dataset.namesKnown ? dataset.names : head.names;
  if (names.length !== head.nc) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Model and data set have different numbers of classes.',
      where: dataset.root,
      expected: `${head.nc} classes`,
      found: `${names.length} classes`,
    });
  }
  const metrics = classificationMetrics(names);
  const stride = Math.max(...head.strides);
  let inference = 0;
  let done = 0;
  for (const batch of evaluationBatches(samples, { imageSize, batchSize, rect: false, stride })) {
    const loaded = await loadEvaluationBatch(batch, imageSize, signal);
    signal?.throwIfAborted();
    const began = clock?.() ?? 0;
    const logits = logitsOf(model, loaded);
    inference += (clock?.() ?? 0) - began;
    loaded.samples.forEach(({ labels }, i) =>
      metrics.add(logits.subarray(i * head.nc, (i + 1) * head.nc), labels?.[0]?.classIndex ?? 0),
    );
    done += loaded.samples.length;
    options.onProgress?.(done, samples.length);
  }
  return { ...metrics.result(), inferenceMs: clock === undefined ? undefined : inference / done };
}
