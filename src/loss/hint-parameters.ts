/** What a hint trains beside the student: its adapter, and the layers of FGD and MGD. Dropped after the training. */
import type * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { ContextParameters } from './features/global-context.ts';
import type { ContextBlocks } from './features/focal-global.ts';
import type { GeneratorParameters } from './features/masked-generation.ts';
import { focalGlobalOptions, type HintPair } from './hint-pair.ts';

/** A trained tensor of a hint, named within it. */
export interface HintParameter {
  readonly part: string;
  /** The engine's layout: filters HWIO. */
  readonly shape: readonly number[];
  /** Whether weight decay applies. */
  readonly decayed: boolean;
  /** Uniform in ±bound (PyTorch's default is 1/sqrt(inputs)), or one value. */
  readonly initial: { readonly bound: number } | { readonly value: number };
}

/** A convolution's filter and bias. */
function layer(name: string, size: number, from: number, to: number, zero = false): HintParameter[] {
  const initial = zero ? { value: 0 } : { bound: 1 / Math.sqrt(size * size * from) };
  return [
    { part: `${name}weight`, shape: [size, size, from, to], decayed: true, initial },
    { part: `${name}bias`, shape: [to], decayed: false, initial },
  ];
}

const BLOCKS = ['student', 'teacher'] as const;

/** The context block of FGD over C channels; its last layer begins at 0, so that it adds nothing at first. */
function contextParameters(whose: string, channels: number): HintParameter[] {
  const inner = Math.max(1, Math.floor(channels / 2));
  const prefix = `context.${whose}`;
  return [
    ...layer(`${prefix}.attend.`, 1, channels, 1),
    ...layer(`${prefix}.reduce.`, 1, channels, inner),
    { part: `${prefix}.norm.weight`, shape: [inner], decayed: false, initial: { value: 1 } },
    { part: `${prefix}.norm.bias`, shape: [inner], decayed: false, initial: { value: 0 } },
    ...layer(`${prefix}.expand.`, 1, inner, channels, true),
  ];
}

/** The parameters of a hint between features of `from` channels (student) and `to` (teacher). */
export function hintParameters(
  hint: HintPair & { readonly adapter: string },
  from: number,
  to: number,
): HintParameter[] {
  return [
    ...(hint.adapter === 'none' ? [] : layer('', 1, from, to)),
    ...(hint.kind === 'mgd'
      ? ['first', 'second'].flatMap((name) => layer(`generator.${name}.`, 3, to, to))
      : []),
    ...(hint.kind === 'fgd' && focalGlobalOptions(hint).lambda > 0
      ? BLOCKS.flatMap((whose) => contextParameters(whose, to))
      : []),
  ];
}

/** Looks up a trained tensor of a hint by its part. */
export type PartOf = (part: string) => tf.Tensor | undefined;

/** Filters and biases of a hint by name. Throws E_LOSS where one is missing. */
function partsOf(part: PartOf, pair: string) {
  const required = (name: string): tf.Tensor => {
    const found = part(name);
    if (found !== undefined) return found;
    throw new SoftshardError('E_LOSS', {
      message: `The trained layers of hint ${pair} are missing.`,
      expected: name,
      found: 'none',
      remedy: 'Declare what hintParameters names, and pass it in context.parameter.',
    });
  };
  return {
    filter: (name: string): tf.Tensor4D => required(name) as tf.Tensor4D,
    vector: (name: string): tf.Tensor1D => required(name) as tf.Tensor1D,
  };
}

/** The generator of MGD. */
export function generatorOf(part: PartOf, pair: string): GeneratorParameters {
  const { filter, vector } = partsOf(part, pair);
  return {
    firstWeight: filter('generator.first.weight'),
    firstBias: vector('generator.first.bias'),
    secondWeight: filter('generator.second.weight'),
    secondBias: vector('generator.second.bias'),
  };
}

/** Both context blocks of FGD. */
export function contextBlocksOf(part: PartOf, pair: string): ContextBlocks {
  const { filter, vector } = partsOf(part, pair);
  const block = (whose: (typeof BLOCKS)[number]): ContextParameters => ({
    attendWeight: filter(`context.${whose}.attend.weight`),
    attendBias: vector(`context.${whose}.attend.bias`),
    reduceWeight: filter(`context.${whose}.reduce.weight`),
    reduceBias: vector(`context.${whose}.reduce.bias`),
    normWeight: vector(`context.${whose}.norm.weight`),
    normBias: vector(`context.${whose}.norm.bias`),
    expandWeight: filter(`context.${whose}.expand.weight`),
    expandBias: vector(`context.${whose}.expand.bias`),
  });
  return { student: block('student'), teacher: block('teacher') };
}
