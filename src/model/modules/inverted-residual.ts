/** The blocks of MobileNetV2 and V3, with the entry names that torchvision gives them. */
import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activation.ts';
import { filterEntry, nested, normEntries, type Entry, type Module } from '../module.ts';
import { convNormActivation } from './conv-norm-activation.ts';
import { squeezeExcitation } from './squeeze-excitation.ts';

const pointwise = { stride: 1, padding: 0 } as const;

const prefixed = (prefix: string, entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => ({ ...entry, name: `${prefix}.${entry.name}` }));

const added = (x: tf.Tensor4D | undefined, y: tf.Tensor4D, adds: boolean): tf.Tensor4D =>
  adds && x !== undefined ? tf.add(x, y) : y;

export interface InvertedResidualOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Times the input's channels: the width between the pointwise convolutions. 1 leaves the first of them out. */
  readonly expansion: number;
  readonly stride: number;
}

/**
 * MobileNetV2's block: 1x1 expansion, 3x3 depthwise, both with ReLU6, then a linear 1x1 projection; the input is
 * added where stride and channels allow (Sandler et al. 2018, table 1).
 */
export function invertedResidual(options: InvertedResidualOptions): Module {
  const { inChannels, outChannels, expansion, stride } = options;
  const hidden = inChannels * expansion;
  const activation = 'relu6';
  const layers = [
    ...(expansion === 1 ? [] : [convNormActivation({ inChannels, outChannels: hidden, activation })]),
    convNormActivation({
      ...{ inChannels: hidden, outChannels: hidden, kernel: 3, stride, groups: hidden, activation },
    }),
  ];
  const inner = nested(Object.fromEntries(layers.map((module, i) => [`conv.${i}`, module])));
  const [project, norm] = [`conv.${layers.length}`, `conv.${layers.length + 1}`] as const;
  return {
    outChannels,
    reduction: stride,
    entries: [
      ...inner.entries,
      filterEntry(`${project}.weight`, [outChannels, hidden, 1, 1]),
      ...normEntries(norm, outChannels),
    ],
    foldable: [...inner.foldable, [project, norm]],
    forward: (inputs, scope) => {
      const [x] = inputs;
      if (x === undefined) throw new Error('InvertedResidual takes one input');
      const wide = layers.reduce((y, module, i) => module.forward([y], scope.child(`conv.${i}`)), x);
      const y = scope.convNorm(wide, project, norm, pointwise, 'identity');
      return added(x, y, stride === 1 && inChannels === outChannels);
    },
  };
}

export interface InvertedResidualV3Options {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Channels between the pointwise convolutions; the first of them is left out where they are the input's. */
  readonly expanded: number;
  readonly kernel: number;
  /** Channels of the squeeze; 0 for a block without one. */
  readonly squeeze: number;
  readonly activation: ActivationName;
  readonly stride: number;
}

/**
 * MobileNetV3's block: expansion, depthwise, squeeze-and-excitation, linear projection (Howard et al. 2019, table 2
 * and section 5.3).
 */
export function invertedResidualV3(options: InvertedResidualV3Options): Module {
  const { inChannels, outChannels, expanded, kernel, squeeze, activation, stride } = options;
  const layers = [
    ...(expanded === inChannels
      ? []
      : [convNormActivation({ inChannels, outChannels: expanded, activation })]),
    convNormActivation({
      ...{ inChannels: expanded, outChannels: expanded, kernel, stride, groups: expanded, activation },
    }),
    ...(squeeze > 0 ? [squeezeExcitation(expanded, squeeze)] : []),
    convNormActivation({ inChannels: expanded, outChannels, activation: 'identity' }),
  ];
  const inner = nested(Object.fromEntries(layers.map((module, i) => [String(i), module])));
  return {
    outChannels,
    reduction: stride,
    entries: prefixed('block', inner.entries),
    foldable: inner.foldable.map(([conv, norm]) => [`block.${conv}`, `block.${norm}`] as const),
    forward: (inputs, scope) => {
      const [x] = inputs;
      if (x === undefined) throw new Error('InvertedResidualV3 takes one input');
      const y = layers.reduce((z, module, i) => module.forward([z], scope.child(`block.${i}`)), x);
      return added(x, y, stride === 1 && inChannels === outChannels);
    },
  };
}
