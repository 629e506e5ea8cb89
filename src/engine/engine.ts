/**
 * One tensor API, several machines. An engine is a tfjs-core backend plus the few operations whose fast form
 * differs between backends. Models, losses and optimizers call tfjs-core for the rest, and never a backend.
 *
 * Layout: activations are NHWC float32, filters HWIO float32. Every operation returns a tensor that the caller
 * disposes (or a surrounding `tf.tidy` does) and is differentiable with respect to the arguments named.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

export type EngineName = 'native' | 'wasm' | 'cpu';

/** What decides the bits an engine produces: stored as provenance. */
export interface EngineInfo {
  readonly name: EngineName;
  /** tfjs-core version, and that of TensorFlow where it is the native one. */
  readonly tfjs: string;
  readonly tensorflow?: string;
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  /** The value of ONEDNN_MAX_CPU_ISA, or "default". */
  readonly isa: string;
  /** Version of our own TensorFlow ops, where the native engine uses them. */
  readonly nativeOps?: string | undefined;
}

export interface Conv2dOptions {
  /** Same in both axes. */
  readonly stride: number;
  /** Zero padding on all four sides, pixels (PyTorch's symmetric padding). */
  readonly padding: number;
  /** Number of groups; 1 by default; equal to the input channels for a depthwise convolution. */
  readonly groups?: number;
  readonly dilation?: number;
}

export interface BatchNormResult {
  /** Normalised with the biased batch variance, [B, H, W, C]. */
  readonly y: Tensor4D;
  /**
   * Batch mean [C] and UNBIASED batch variance [C]: what running statistics take in. Not differentiable, and kept
   * (`tf.keep`): the caller disposes both, also inside a tidy.
   */
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/** Operations with one implementation per backend. All are deterministic. */
export interface EngineOps {
  /** Cross-correlation of x [B,H,W,I] with w [kH,kW,I/groups,O]; differentiable in x and w. */
  conv2d(x: Tensor4D, w: Tensor4D, options: Conv2dOptions): Tensor4D;
  /**
   * `conv2d` plus a bias [O], then SiLU if `silu`: one kernel where the engine has one, else the three in a row.
   * Differentiable in x, w and bias without SiLU; with it, for inference only.
   */
  conv2dBias(x: Tensor4D, w: Tensor4D, bias: Tensor1D, options: Conv2dOptions, silu: boolean): Tensor4D;
  /** Training batch norm over B, H, W; differentiable in x, gamma [C], beta [C] (through y only). */
  batchNormTrain(x: Tensor4D, gamma: Tensor1D, beta: Tensor1D, epsilon: number): BatchNormResult;
  /** `batchNormTrain` with SiLU on its y: one kernel where the engine has one, else the two in a row. */
  batchNormSiluTrain(x: Tensor4D, gamma: Tensor1D, beta: Tensor1D, epsilon: number): BatchNormResult;
  /** x * sigmoid(x); differentiable. */
  silu<T extends Tensor>(x: T): T;
  /** Max pool with window k, stride s and padding k>>1 that counts as -infinity; differentiable. */
  maxPool(x: Tensor4D, k: number, stride: number): Tensor4D;
  /** Nearest-neighbour enlargement by 2; differentiable. */
  upsample2(x: Tensor4D): Tensor4D;
  /** Rows of x [N,C] by index, [indices.length, C]; repeated indices add up in the gradient. Differentiable in x. */
  gatherRows(x: Tensor2D, indices: Int32Array): Tensor2D;
  /**
   * Cuts a vector into tensors of these shapes, in order and without rest; differentiable. An array of as many
   * tensors, which the caller disposes.
   */
  unpack(flat: Tensor1D, shapes: readonly (readonly number[])[]): Tensor[];
  /** One optimizer step and the new average in one kernel, to the bit as without it; undefined where there is none. */
  readonly updateVectors?:
    ((vectors: UpdateVectors, update: VectorUpdate) => Omit<UpdateVectors, 'gradient'>) | undefined;
  /** Elementwise BCE of logits against targets (both any shape, equal), no reduction; differentiable in logits. */
  sigmoidCrossEntropy<T extends Tensor>(logits: T, targets: T): T;
}

/** Flat float32 vectors of one length: weights, their gradient, the rule's slots, the moving average of the weights. */
export interface UpdateVectors {
  readonly weights: Tensor1D;
  readonly gradient: Tensor1D;
  readonly slots: readonly Tensor1D[];
  readonly average: Tensor1D;
}

/** One step of an optimizer as `src/optim/update-rule.ts` defines them. */
export interface VectorUpdate {
  readonly rule: 'sgd' | 'adam' | 'adamw';
  /** Ranges of the vectors, one after another from the first element to the last. */
  readonly groups: readonly {
    readonly size: number;
    readonly learningRate: number;
    readonly weightDecay: number;
  }[];
  readonly momentum: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Counts updates from 1. */
  readonly step: number;
  /** Share of the old average that stays. */
  readonly averageDecay: number;
}

export interface Engine {
  readonly info: EngineInfo;
  readonly ops: EngineOps;
}
