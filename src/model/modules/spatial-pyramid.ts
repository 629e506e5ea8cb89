import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activation.ts';
import { nested, type Module } from '../module.ts';
import { conv } from './conv.ts';

interface PyramidOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly activation?: ActivationName;
}

/** `SPP`: the input beside its max pools of several sizes, between two 1x1 convolutions (He et al. 2014). */
export function spp(options: PyramidOptions & { readonly kernels: readonly number[] }): Module {
  const { inChannels, outChannels, kernels, activation = 'silu' } = options;
  const hidden = Math.floor(inChannels / 2);
  const cv1 = conv({ inChannels, outChannels: hidden, activation });
  const cv2 = conv({ inChannels: hidden * (kernels.length + 1), outChannels, activation });
  return {
    outChannels,
    reduction: 1,
    ...nested({ cv1, cv2 }),
    forward: (inputs, scope) => {
      const x = cv1.forward(inputs, scope.child('cv1'));
      const pools = kernels.map((k) => scope.ops.maxPool(x, k, 1));
      return cv2.forward([tf.concat([x, ...pools], 3)], scope.child('cv2'));
    },
  };
}

/** `SPPF`: the same pyramid by three equal pools in a row. */
export function sppf(options: PyramidOptions & { readonly kernel: number }): Module {
  const { inChannels, outChannels, kernel, activation = 'silu' } = options;
  const hidden = Math.floor(inChannels / 2);
  const cv1 = conv({ inChannels, outChannels: hidden, activation });
  const cv2 = conv({ inChannels: hidden * 4, outChannels, activation });
  return {
    outChannels,
    reduction: 1,
    ...nested({ cv1, cv2 }),
    forward: (inputs, scope) => {
      const x = cv1.forward(inputs, scope.child('cv1'));
      const once = scope.ops.maxPool(x, kernel, 1);
      const twice = scope.ops.maxPool(once, kernel, 1);
      const thrice = scope.ops.maxPool(twice, kernel, 1);
      return cv2.forward([tf.concat([x, once, twice, thrice], 3)], scope.child('cv2'));
    },
  };
}
