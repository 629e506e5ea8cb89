import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activation.ts';
import { nested, type Module } from '../module.ts';
import { conv } from './conv.ts';

export interface BottleneckOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly shortcut?: boolean;
  readonly groups?: number;
  /** Hidden channels as a share of the output's. */
  readonly expansion?: number;
  readonly activation?: ActivationName;
}

/** 1x1 then 3x3 convolution, with the input added when the shapes allow and `shortcut` is set. */
export function bottleneck(options: BottleneckOptions): Module {
  const {
    inChannels,
    outChannels,
    shortcut = true,
    groups = 1,
    expansion = 0.5,
    activation = 'silu',
  } = options;
  const hidden = Math.trunc(outChannels * expansion);
  const cv1 = conv({ inChannels, outChannels: hidden, activation });
  const cv2 = conv({ inChannels: hidden, outChannels, kernel: 3, groups, activation });
  const adds = shortcut && inChannels === outChannels;
  return {
    outChannels,
    reduction: 1,
    ...nested({ cv1, cv2 }),
    forward: (inputs, scope) => {
      const y = cv2.forward([cv1.forward(inputs, scope.child('cv1'))], scope.child('cv2'));
      return adds && inputs[0] !== undefined ? tf.add(inputs[0], y) : y;
    },
  };
}
