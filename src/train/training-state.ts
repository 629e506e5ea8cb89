/** Everything a training is made of, on the device: what a checkpoint saves and a resumed run restores. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { ModelGraph } from '../model/graph.ts';
import { toEngineLayout, toTorchLayout } from '../model/layout.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { layoutParameters, type ExtraParameter, type ParameterLayout } from '../optim/parameter-layout.ts';
import type { UpdateRule } from '../optim/update-rule.ts';
import { layoutStatistics, type StatisticsLayout } from './statistics-layout.ts';

/** Counters of a training, all from 0. */
export interface TrainingCounters {
  /** Batches seen. */
  iteration: number;
  /** Value of `iteration` at the last optimizer step. */
  lastStep: number;
  /** Optimizer steps, which are also updates of the moving average. */
  updates: number;
}

/** Flat float32 vectors by name. `weights` and the slots follow `parameters`, `statistics` its own layout. */
export interface TrainingVectors {
  weights: tf.Tensor1D;
  statistics: tf.Tensor1D;
  /** Exponential moving average of the weights, and of the statistics. */
  averagedWeights: tf.Tensor1D;
  averagedStatistics: tf.Tensor1D;
  /** Gradients summed since the last optimizer step. */
  accumulated: tf.Tensor1D;
  slots: tf.Tensor1D[];
}

export interface TrainingState {
  readonly graph: ModelGraph;
  readonly parameters: ParameterLayout;
  readonly statisticsLayout: StatisticsLayout;
  readonly vectors: TrainingVectors;
  readonly counters: TrainingCounters;
}

const floats = (state: StateDict, key: string): Float32Array => {
  const entry = state.get(key);
  if (entry?.data instanceof Float32Array) return entry.data;
  throw new SoftshardError('E_WEIGHTS_TRANSFER', {
    message: 'The weights lack an entry of the model.',
    where: key,
    found: entry?.dtype ?? 'nothing',
    expected: 'float32',
  });
};

const kept = (data: Float32Array): tf.Tensor1D => tf.keep(tf.tensor1d(data, 'float32'));

/** Flattens a state dict (PyTorch's layout) and the extra parameters (the engine's) into host vectors. */
export function flattenState(
  state: StateDict,
  parameters: ParameterLayout,
  statistics: StatisticsLayout,
  extra: ReadonlyMap<string, Float32Array>,
): { readonly weights: Float32Array; readonly statistics: Float32Array } {
  const weights = new Float32Array(parameters.size);
  for (const { key, offset } of parameters.slots) {
    const own = extra.get(key);
    weights.set(own ?? toEngineLayout(floats(state, key), state.get(key)?.shape ?? []), offset);
  }
  const flat = new Float32Array(statistics.size);
  for (const { prefix, channels, offset } of statistics.norms) {
    flat.set(floats(state, `${prefix}.running_mean`), offset);
    flat.set(floats(state, `${prefix}.running_var`), offset + channels);
  }
  return { weights, statistics: flat };
}

/**
 * A fresh training of `state`: no momentum, the moving average equal to the weights. The parameters of the layers in
 * `frozen` stay as they are. Dispose with `disposeState`.
 */
export function startTraining(
  graph: ModelGraph,
  state: StateDict,
  rule: UpdateRule,
  extra: { readonly declared: readonly ExtraParameter[]; readonly values: ReadonlyMap<string, Float32Array> },
  frozen: ReadonlySet<number> = new Set(),
): TrainingState {
  const parameters = layoutParameters(graph, extra.declared, frozen);
  const statisticsLayout = layoutStatistics(graph);
  const flat = flattenState(state, parameters, statisticsLayout, extra.values);
  return {
    graph,
    parameters,
    statisticsLayout,
    counters: { iteration: 0, lastStep: -1, updates: 0 },
    vectors: {
      weights: kept(flat.weights),
      statistics: kept(flat.statistics),
      averagedWeights: kept(flat.weights),
      averagedStatistics: kept(flat.statistics),
      accumulated: kept(new Float32Array(parameters.size)),
      slots: rule.slots.map(() => kept(new Float32Array(parameters.size))),
    },
  };
}

/** Puts saved vectors on the device in place of the present ones. */
export function restoreVectors(
  state: TrainingState,
  saved: Readonly<Record<keyof Omit<TrainingVectors, 'slots'>, Float32Array>> & {
    readonly slots: readonly Float32Array[];
  },
): void {
  disposeState(state);
  state.vectors.weights = kept(saved.weights);
  state.vectors.statistics = kept(saved.statistics);
  state.vectors.averagedWeights = kept(saved.averagedWeights);
  state.vectors.averagedStatistics = kept(saved.averagedStatistics);
  state.vectors.accumulated = kept(saved.accumulated);
  state.vectors.slots = saved.slots.map(kept);
}

export function disposeState(state: TrainingState): void {
  const { slots, ...single } = state.vectors;
  tf.dispose([...slots, ...Object.values(single)]);
}

/**
 * The state dict (PyTorch's layout, its key order, adapters left out) of host vectors: of the weights, or of their
 * moving average. `iterations` is the count of batches that the batch norms have seen.
 */
export function stateDictOf(
  state: Pick<TrainingState, 'graph' | 'parameters' | 'statisticsLayout'>,
  weights: Float32Array,
  statistics: Float32Array,
  iterations: number,
): Map<string, TensorData> {
  const slots = new Map(state.parameters.slots.map((slot) => [slot.key, slot]));
  const norms = new Map(state.statisticsLayout.norms.map((norm) => [norm.prefix, norm]));
  const { head } = state.graph;
  const result = new Map<string, TensorData>();
  for (const { name, shape, role } of state.graph.entries) {
    const prefix = name.slice(0, name.lastIndexOf('.'));
    let data: TensorData['data'];
    if (role === 'batches') {
      data = BigInt64Array.of(BigInt(iterations));
    } else if (role === 'anchors') {
      data = Float32Array.from(
        head.anchors.flatMap((level, l) =>
          level.flatMap(([w, h]) => [w, h].map((v) => v / (head.strides[l] ?? 1))),
        ),
      );
    } else if (role === 'runningMean' || role === 'runningVariance') {
      const norm = norms.get(prefix);
      if (norm === undefined) throw new Error(`no statistics of ${prefix}`);
      const start = norm.offset + (role === 'runningMean' ? 0 : norm.channels);
      data = statistics.slice(start, start + norm.channels);
    } else {
      const slot = slots.get(name);
      if (slot === undefined) throw new Error(`no parameter ${name}`);
      data = toTorchLayout(weights.subarray(slot.offset, slot.offset + slot.size), shape);
    }
    result.set(name, { dtype: role === 'batches' ? 'int64' : 'float32', shape, data });
  }
  return result;
}
