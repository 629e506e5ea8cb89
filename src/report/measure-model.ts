/** Measures one model of a report. */
import type { Dataset } from '../data/sample.ts';
import type { Engine } from '../engine/engine.ts';
import { classifyImages } from '../evaluate/classify-images.ts';
import { evaluateModel } from '../evaluate/evaluate-model.ts';
import { loadInference, type LoadedInference } from '../evaluate/load-model.ts';
import type { StepContext } from '../flow/step-command.ts';
import type { Detection } from '../metric/box.ts';
import { isClassifier } from '../model/detector.ts';
import { parameterCount } from '../model/graph.ts';
import { detectionCurves } from './detection-curves.ts';
import type { MatrixChart } from './matrix-chart.ts';
import type { ModelRow } from './model-table.ts';
import type { Curve } from './report-input.ts';
import { findForMosaic, spreadSamples } from './run-mosaic.ts';
/** What a model reached, and what of it is drawn. */
export interface Measured {
  readonly row: ModelRow;
  readonly found: ReadonlyMap<number, readonly Detection[]>;
  readonly names: readonly string[];
  readonly curves: readonly Curve[];
  readonly matrix: MatrixChart;
}

export interface MeasureSetting {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly imageSize: number;
  readonly batchSize: number;
  readonly rect: boolean;
}

/** Measures a classifier; there are no boxes to show. */
async function measureClassifier(
  name: string,
  loaded: LoadedInference,
  { dataset, imageSize, batchSize }: MeasureSetting,
  context: StepContext,
): Promise<Measured> {
  const { model, names, graph, bytes } = loaded;
  const { accuracy, confusion, inferenceMs } = await classifyImages({
    ...{ model, dataset, imageSize, batchSize, signal: context.signal, clock: () => performance.now() },
    onProgress: (done, total) => context.emit({ type: 'step', done, total }),
  });
  context.info(`${name}: accuracy ${accuracy.toFixed(3)}`);
  const parameters = parameterCount(graph);
  // A matrix's last row and column are the background, which a classifier does not know.
  const counts = [...confusion.map((row) => [...row, 0]), new Array<number>(names.length + 1).fill(0)];
  return {
    row: { name, parameters, bytes, accuracy, msPerImage: inferenceMs ?? NaN },
    ...{ found: new Map(), names, curves: [] },
    matrix: { title: `Confusion matrix, ${name}`, counts, names },
  };
}

/** Measures one model and finds its boxes for the mosaic; its memory is free afterwards. */
export async function measureModel(
  name: string,
  source: { readonly weights: string; readonly cfg?: string | undefined },
  setting: MeasureSetting,
  context: StepContext,
): Promise<Measured> {
  const { engine, dataset } = setting;
  const defaultNames = dataset.namesKnown ? dataset.names : undefined;
  const loaded = await loadInference({ ...source, defaultNames, engine });
  const { signal } = context;
  try {
    if (isClassifier(loaded.graph.head)) return await measureClassifier(name, loaded, setting, context);
    const options = { ...setting, model: loaded.model, signal };
    let told = performance.now();
    const { metrics, speed, curves, confusion } = await evaluateModel({
      ...options,
      clock: () => performance.now(),
      onProgress: (done, total) => {
        if (done < total && performance.now() - told < 1000) return;
        told = performance.now();
        context.emit({ type: 'step', done, total, of: `images of ${name}` });
      },
    });
    context.info(`${name}: mAP50 ${metrics.mAP50.toFixed(3)}, mAP50-95 ${metrics.mAP50_95.toFixed(3)}`);
    const found = await findForMosaic({ ...options, samples: spreadSamples(dataset.samples) });
    const row = {
      name,
      parameters: parameterCount(loaded.graph),
      bytes: loaded.bytes,
      mAP50: metrics.mAP50,
      mAP50_95: metrics.mAP50_95,
      msPerImage: speed?.inferenceMs ?? NaN,
    };
    const matrix = { title: `Confusion matrix, ${name}`, counts: confusion, names: loaded.names };
    return { row, found, names: loaded.names, curves: detectionCurves(name, curves), matrix };
  } finally {
    loaded.model.dispose();
  }
}
