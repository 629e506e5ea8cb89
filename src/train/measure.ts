import type { Engine } from '../engine/engine.ts';
import { evaluateModel } from '../evaluate/evaluate-model.ts';
import { createInference } from '../model/inference.ts';
import type { TensorData } from '../model/tensor-data.ts';
import type { PreparedRun } from './prepare-run.ts';
import { createValidationLoss } from './validation-loss.ts';

/** P, R, mAP50, mAP50-95 and the hard loss of weights on the run's validation split, as columns of results.csv. */
export async function measure(
  run: PreparedRun,
  engine: Engine,
  state: ReadonlyMap<string, TensorData>,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  if (run.validation === undefined) return {};
  const loss = createValidationLoss(run, engine.ops);
  const model = createInference(run.graph, state, engine.ops);
  try {
    const { metrics } = await evaluateModel({
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
    return {
      'metrics/P': metrics.P,
      'metrics/R': metrics.R,
      'metrics/mAP50': metrics.mAP50,
      'metrics/mAP50_95': metrics.mAP50_95,
      ...(Object.fromEntries(terms) as Record<string, number>),
    };
  } finally {
    model.dispose();
  }
}
