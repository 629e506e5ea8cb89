/** Folds batch norms into the convolutions before them, in float64 on the host. */
import type { ModelGraph } from './graph.ts';
import type { StateDict, TensorData } from './tensor-data.ts';

export const BATCH_NORM_EPSILON = 1e-3;
export const BATCH_NORM_MOMENTUM = 0.03;

/** A convolution with bias that equals convolution and batch norm at inference. PyTorch's layout. */
export interface Folded {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

const floats = (state: StateDict, key: string): Float32Array => {
  const value: TensorData | undefined = state.get(key);
  if (!(value?.data instanceof Float32Array)) throw new Error(`${key} is not a float32 tensor of the state`);
  return value.data;
};

/** W' = g W and b' = beta - g mean with g = gamma / sqrt(var + eps), per output channel. `conv`, `norm`: prefixes. */
export function foldPair(state: StateDict, conv: string, norm: string): Folded {
  const weight = floats(state, `${conv}.weight`);
  const gamma = floats(state, `${norm}.weight`);
  const beta = floats(state, `${norm}.bias`);
  const mean = floats(state, `${norm}.running_mean`);
  const variance = floats(state, `${norm}.running_var`);
  const perOutput = weight.length / gamma.length;
  const folded = new Float32Array(weight.length);
  const bias = new Float32Array(gamma.length);
  for (let o = 0; o < gamma.length; o++) {
    const g = (gamma[o] ?? 0) / Math.sqrt((variance[o] ?? 0) + BATCH_NORM_EPSILON);
    for (let i = o * perOutput; i < (o + 1) * perOutput; i++) folded[i] = g * (weight[i] ?? 0);
    bias[o] = (beta[o] ?? 0) - g * (mean[o] ?? 0);
  }
  return { weight: folded, bias };
}

/** All foldable pairs of a graph, by the convolution's prefix. */
export const foldAll = (graph: ModelGraph, state: StateDict): Map<string, Folded> =>
  new Map(graph.foldable.map(([conv, norm]) => [conv, foldPair(state, conv, norm)]));
