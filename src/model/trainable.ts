/** A model in training: values come from a flat vector, batch norms use the batch and report its statistics. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { activate, type ActivationName } from './activation.ts';
import type { Forward } from './detector.ts';
import { BATCH_NORM_EPSILON } from './fold.ts';
import type { ModelGraph } from './graph.ts';
import type { Scope } from './module.ts';
import { runGraph } from './run-graph.ts';

/** Statistics of one batch norm in one batch: mean [C] and unbiased variance [C], kept. */
export interface BatchStatistics {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/**
 * One forward pass in training mode. `values` holds every trainable entry by key, in the engine's layout.
 * `statistics` takes in the batch statistics by the batch norm's prefix; the caller disposes them.
 */
export function trainForward(
  graph: ModelGraph,
  values: ReadonlyMap<string, tf.Tensor>,
  ops: EngineOps,
  statistics: Map<string, BatchStatistics>,
  x: tf.Tensor4D,
  features: readonly number[] = [],
): Forward {
  const value = (key: string): tf.Tensor => {
    const found = values.get(key);
    if (found === undefined) throw new Error(`the model has no trainable value ${key}`);
    return found;
  };
  const join = (prefix: string, name: string): string =>
    prefix === '' || name === '' ? prefix + name : `${prefix}.${name}`;
  const scopeAt = (prefix: string): Scope => {
    const batchNorm = (name: string, input: tf.Tensor4D, activation: ActivationName): tf.Tensor4D => {
      const at = join(prefix, name);
      const gamma = value(`${at}.weight`) as tf.Tensor1D;
      const beta = value(`${at}.bias`) as tf.Tensor1D;
      const { y, mean, variance } =
        activation === 'silu'
          ? ops.batchNormSiluTrain(input, gamma, beta, BATCH_NORM_EPSILON)
          : ops.batchNormTrain(input, gamma, beta, BATCH_NORM_EPSILON);
      statistics.set(at, { mean, variance });
      return activation === 'silu' ? y : activate(activation, y, ops);
    };
    return {
      ops,
      child: (name) => scopeAt(join(prefix, name)),
      value: (name) => value(join(prefix, name)),
      batchNorm,
      convBias: (input, name, options) => {
        const at = join(prefix, name);
        const filter = value(join(at, 'weight')) as tf.Tensor4D;
        return ops.conv2dBias(input, filter, value(join(at, 'bias')) as tf.Tensor1D, options, false);
      },
      convNorm: (input, conv, norm, options, activation) =>
        batchNorm(
          norm,
          ops.conv2d(input, value(`${join(prefix, conv)}.weight`) as tf.Tensor4D, options),
          activation,
        ),
    };
  };
  return runGraph(graph, scopeAt(''), x, features);
}
