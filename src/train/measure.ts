import type { Engine } from '../engine/engine.ts';
import { evaluateModel } from '../evaluate/evaluate-model.ts';
import { classifyImages } from '../evaluate/classify-images.ts';
import { isClassifier } from '../model/detector.ts';
import { createInference } from '../model/inference.ts';
import type { TensorData } from '../model/tensor-data.ts';
import type { EvaluationResult } from '../metric/detection-metrics.ts';
import type { PreparedRun } from './prepare-run.ts';
import { createValidationLoss } from './validation-loss.ts';

export interface Measurement {
  /** P, R, mAP50, mAP50-95 and the hard loss, or a classifier's accuracy and cross entropy: columns of results.csv. */
  readonly row: Record<string, number>;
  /** mAP50-95 a class, that over all where a class has no labels; none of a classifier. */
  readonly maps: readonly number[];
  /** Of a detector. */
  readonly result: EvaluationResult | undefined;
}

/** Measures weights on the run's validation split; undefined where there is none. */
export async function measure(
  run: PreparedRun,
  engine: Engine,
  state: ReadonlyMap<string, TensorData>,
  signal: AbortSignal,
): Promise<Measurement | undefined> {
  if (run.validation === undefined) return undefined;
  const model = createInference(run.graph, state, engine.ops);
  try {
    if (isClassifier(run.graph.head)) {
      const { imgsz: imageSize, batchSize } = run.options;
      const dataset = run.validation;
      const found = await classifyImages({ model, dataset, imageSize, batchSize: 2 * batchSize, signal });
      const row = { 'metrics/accuracy': found.accuracy, 'val/cls': found.crossEntropy };
      return { row, maps: [], result: undefined };
    }
    const loss = createValidationLoss(run, engine.ops);
    const { metrics, maps } = await evaluateModel({
      model,
      engine,
      dataset: run.validation,
      imageSize: run.options.imgsz,
      batchSize: 2 * run.options.batchSize,
      rect: true,
      signal,
      onBatch: (batch) => loss.add(batch),
    });
    const terms = Object.entries(loss.result()).map(([name, value]) => [`val/${name}`, value]);
    const row = {
      'metrics/P': metrics.P,
      'metrics/R': metrics.R,
      'metrics/mAP50': metrics.mAP50,
      'metrics/mAP50_95': metrics.mAP50_95,
      ...(Object.fromEntries(terms) as Record<string, number>),
    };
    return { row, maps: [...maps], result: metrics };
  } finally {
    model.dispose();
  }
}
