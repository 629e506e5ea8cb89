/** A model with fixed values, for teaching, evaluating and exporting. */
import * as tf from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import { activate, type ActivationName } from './activation.ts';
import type { Forward, HeadSpec } from './detector.ts';
import { BATCH_NORM_EPSILON, foldAll } from './fold.ts';
import type { ModelGraph } from './graph.ts';
import { engineShape, toEngineLayout } from './layout.ts';
import type { Scope } from './module.ts';
import { runGraph } from './run-graph.ts';
import type { StateDict } from './tensor-data.ts';

export interface InferenceModel {
  readonly graph: ModelGraph;
  readonly head: HeadSpec;
  /**
   * x [B,H,W,C] float32 in 0...1, H and W multiples of the largest stride. The caller disposes the result.
   * `features` names the layers whose NHWC outputs are wanted too.
   */
  forward(x: tf.Tensor4D, features?: readonly number[]): Forward;
  dispose(): void;
}

export interface InferenceOptions {
  /** Folds batch norm into the convolutions (the default): fewer operations, equal up to rounding. */
  readonly fold?: boolean;
}

/**
 * Puts a state dict (float32, PyTorch's layout; every entry of the graph but the batch counters) on the engine.
 * Throws E_WEIGHTS_TRANSFER when an entry is missing.
 */
export function createInference(
  graph: ModelGraph,
  state: StateDict,
  ops: EngineOps,
  options: InferenceOptions = {},
): InferenceModel {
  const { fold = true } = options;
  const values = new Map<string, tf.Tensor>();
  const put = (key: string, data: Float32Array, shape: readonly number[]): void => {
    values.set(key, tf.keep(tf.tensor(toEngineLayout(data, shape), engineShape(shape), 'float32')));
  };
  const folded = fold ? foldAll(graph, state) : new Map<string, never>();
  const norms = new Set(fold ? graph.foldable.map(([, norm]) => norm) : []);
  for (const { name, shape, role } of graph.entries) {
    const prefix = name.slice(0, name.lastIndexOf('.'));
    if (role === 'batches' || role === 'anchors' || norms.has(prefix)) continue;
    const pair = folded.get(prefix);
    if (pair !== undefined) {
      put(name, pair.weight, shape);
      put(`${prefix}.bias`, pair.bias, [pair.bias.length]);
      continue;
    }
    const entry = state.get(name);
    if (!(entry?.data instanceof Float32Array)) {
      throw new SoftshardError('E_WEIGHTS_TRANSFER', {
        message: 'The weights lack an entry of the model.',
        where: name,
        expected: `float32 [${shape.join(', ')}]`,
        found: entry?.dtype ?? 'nothing',
      });
    }
    put(name, entry.data, shape);
  }

  const value = (key: string): tf.Tensor => {
    const found = values.get(key);
    if (found === undefined) throw new Error(`the model has no value ${key}`);
    return found;
  };
  const join = (prefix: string, name: string): string =>
    prefix === '' || name === '' ? prefix + name : `${prefix}.${name}`;
  const convolve = (
    x: tf.Tensor4D,
    at: string,
    convOptions: Conv2dOptions,
    activation: ActivationName,
  ): tf.Tensor4D => {
    const filter = value(join(at, 'weight')) as tf.Tensor4D;
    const bias = value(join(at, 'bias')) as tf.Tensor1D;
    const y = ops.conv2dBias(x, filter, bias, convOptions, activation === 'silu');
    return activation === 'silu' ? y : activate(activation, y, ops);
  };
  const scopeAt = (prefix: string): Scope => {
    const batchNorm = (name: string, x: tf.Tensor4D, activation: ActivationName): tf.Tensor4D => {
      const at = join(prefix, name);
      const y = tf.batchNorm(
        x,
        value(`${at}.running_mean`) as tf.Tensor1D,
        value(`${at}.running_var`) as tf.Tensor1D,
        value(`${at}.bias`) as tf.Tensor1D,
        value(`${at}.weight`) as tf.Tensor1D,
        BATCH_NORM_EPSILON,
      );
      return activate(activation, y, ops);
    };
    return {
      ops,
      child: (name) => scopeAt(join(prefix, name)),
      value: (name) => value(join(prefix, name)),
      batchNorm,
      convBias: (x, name, convOptions) => convolve(x, join(prefix, name), convOptions, 'identity'),
      convNorm: (x, conv, norm, convOptions, activation) => {
        const at = join(prefix, conv);
        if (fold) return convolve(x, at, convOptions, activation);
        return batchNorm(norm, ops.conv2d(x, value(`${at}.weight`) as tf.Tensor4D, convOptions), activation);
      },
    };
  };
  const scope = scopeAt('');
  return {
    graph,
    head: headWithAnchors(graph, state),
    forward: (x, features) => runGraph(graph, scope, x, features),
    dispose: () => {
      for (const tensor of values.values()) tensor.dispose();
      values.clear();
    },
  };
}

/** The graph's head with the anchors of the state dict (grid units there), where it has them. */
export function headWithAnchors(graph: ModelGraph, state: StateDict): HeadSpec {
  const stored = state.get(`${graph.detect.prefix}.anchors`);
  if (!(stored?.data instanceof Float32Array)) return graph.head;
  const { data } = stored;
  const { na, strides } = graph.head;
  return {
    ...graph.head,
    anchors: strides.map((stride, level) =>
      Array.from({ length: na }, (_, a): [number, number] => {
        const at = (level * na + a) * 2;
        return [(data[at] ?? 0) * stride, (data[at + 1] ?? 0) * stride];
      }),
    ),
  };
}
