import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activation.ts';
import { filterEntry, normEntries, type Module } from '../module.ts';
import { imageNormalisation } from '../image-normalisation.ts';

export interface ConvNormActivationOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly activation: ActivationName;
  /** Standardises an image in 0...1 first, by the mean and deviation of ImageNet. False by default. */
  readonly normalise?: boolean;
}

/**
 * Bias-free convolution, batch norm, activation under torchvision's names: `0` and `1` (its
 * `Conv2dNormActivation`). Padding is half the kernel.
 *
 * `normalise` is for weights that were trained on standardised images. It is done before the padding: put into the
 * filters (W/std, and a bias) it would be wrong along the border, where the padding would then stand for black and
 * not for the mean.
 */
export function convNormActivation(options: ConvNormActivationOptions): Module {
  const { inChannels, outChannels, kernel = 1, stride = 1, groups = 1, activation } = options;
  const { normalise = false } = options;
  return {
    outChannels,
    reduction: stride,
    entries: [
      filterEntry('0.weight', [outChannels, inChannels / groups, kernel, kernel]),
      ...normEntries('1', outChannels),
    ],
    foldable: [['0', '1']],
    forward: ([x], scope) => {
      if (x === undefined) throw new Error('Conv2dNormActivation takes one input');
      const input: tf.Tensor4D = normalise ? imageNormalisation(x) : x;
      return scope.convNorm(input, '0', '1', { stride, padding: kernel >> 1, groups }, activation);
    },
  };
}
