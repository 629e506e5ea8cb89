/** A building block of a model: what it holds, and what it computes. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../engine/engine.ts';
import type { ActivationName } from './activation.ts';

/**
 * What an entry of the state dict is for. `weight`: decayed filters; `bias`: biases and beta of batch norms;
 * `gamma`: scales of batch norms; the others are buffers, which no gradient reaches.
 */
export type EntryRole =
  'weight' | 'bias' | 'gamma' | 'runningMean' | 'runningVariance' | 'batches' | 'anchors';

/** One entry of the state dict, named relative to its module, shaped as PyTorch shapes it (filters OIHW). */
export interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: EntryRole;
  /** Initial value: uniform in ±bound (PyTorch's default for convolutions, bound = 1/sqrt(fan-in)), or a constant. */
  readonly initial: { readonly bound: number } | { readonly value: number };
  /** Added to the initial value of each element, by flat index: the prior biases of the detection head. */
  readonly offset?: (index: number) => number;
}

/** How a forward pass reaches the values of one module. */
export interface Scope {
  readonly ops: EngineOps;
  child(name: string): Scope;
  /** A value by its entry name, in the engine's layout (filters HWIO). Not to be disposed. */
  value(name: string): Tensor;
  /**
   * Batch norm by the values under `name`, then the activation (`identity` for none): batch statistics in training,
   * running ones otherwise.
   */
  batchNorm(name: string, x: Tensor4D, activation: ActivationName): Tensor4D;
  /** A convolution by the values `weight` and `bias` under `name`. */
  convBias(x: Tensor4D, name: string, options: Conv2dOptions): Tensor4D;
  /** A bias-free convolution, the batch norm after it, and the activation; the norm may be folded in. */
  convNorm(
    x: Tensor4D,
    conv: string,
    norm: string,
    options: Conv2dOptions,
    activation: ActivationName,
  ): Tensor4D;
}

export interface Module {
  /** State-dict entries in registration order. */
  readonly entries: readonly Entry[];
  readonly outChannels: number;
  /** Input pixels per output pixel, one axis: 2 for a stride-2 convolution, 0.5 for an enlargement by 2. */
  readonly reduction: number;
  /** Pairs (convolution, batch norm) that inference may fold, by entry prefix. */
  readonly foldable: readonly (readonly [conv: string, norm: string])[];
  /** NHWC in, NHWC out. Runs inside a tidy; the result is the caller's. */
  forward(inputs: readonly Tensor4D[], scope: Scope): Tensor4D;
}

/** A module's entries and foldable pairs under a child's name. */
export const nested = (children: Readonly<Record<string, Module>>): Pick<Module, 'entries' | 'foldable'> => ({
  entries: Object.entries(children).flatMap(([name, module]) =>
    module.entries.map((entry) => ({ ...entry, name: `${name}.${entry.name}` })),
  ),
  foldable: Object.entries(children).flatMap(([name, module]) =>
    module.foldable.map(([conv, norm]) => [`${name}.${conv}`, `${name}.${norm}`] as const),
  ),
});

/** Filters of a convolution: PyTorch's default initialisation, uniform in ±1/sqrt(fan-in). */
export const filterEntry = (name: string, shape: readonly [number, number, number, number]): Entry => ({
  name,
  shape,
  role: 'weight',
  initial: { bound: 1 / Math.sqrt(shape[1] * shape[2] * shape[3]) },
});

/** The five entries of a batch norm over `channels`, in PyTorch's order. */
export const normEntries = (name: string, channels: number): Entry[] => [
  { name: `${name}.weight`, shape: [channels], role: 'gamma', initial: { value: 1 } },
  { name: `${name}.bias`, shape: [channels], role: 'bias', initial: { value: 0 } },
  { name: `${name}.running_mean`, shape: [channels], role: 'runningMean', initial: { value: 0 } },
  { name: `${name}.running_var`, shape: [channels], role: 'runningVariance', initial: { value: 1 } },
  { name: `${name}.num_batches_tracked`, shape: [], role: 'batches', initial: { value: 0 } },
];
