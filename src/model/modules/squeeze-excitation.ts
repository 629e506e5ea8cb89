import * as tf from '@tensorflow/tfjs-core';
import { activate } from '../activation.ts';
import { filterEntry, type Entry, type Module } from '../module.ts';

const pointwise = { stride: 1, padding: 0 } as const;

/**
 * Squeeze-and-excitation (Hu et al. 2018) as MobileNetV3 has it: the mean over all pixels, two 1x1 convolutions with
 * bias, ReLU between them and a hard sigmoid after, times the input. Entries `fc1` and `fc2`, torchvision's names.
 */
export function squeezeExcitation(channels: number, squeeze: number): Module {
  const layer = (name: string, inputs: number, outputs: number): Entry[] => {
    const filter = filterEntry(`${name}.weight`, [outputs, inputs, 1, 1]);
    return [filter, { name: `${name}.bias`, shape: [outputs], role: 'bias', initial: filter.initial }];
  };
  return {
    outChannels: channels,
    reduction: 1,
    entries: [...layer('fc1', channels, squeeze), ...layer('fc2', squeeze, channels)],
    foldable: [],
    forward: ([x], scope) => {
      if (x === undefined) throw new Error('squeeze-and-excitation takes one input');
      const { ops } = scope;
      const dense = (name: string, input: tf.Tensor4D): tf.Tensor4D =>
        tf.add(
          ops.conv2d(input, scope.value(`${name}.weight`) as tf.Tensor4D, pointwise),
          scope.value(`${name}.bias`),
        );
      const mean = tf.mean<tf.Tensor4D>(x, [1, 2], true); // [B, 1, 1, C]
      const gate = activate('hardsigmoid', dense('fc2', tf.relu(dense('fc1', mean))), ops);
      return tf.mul(x, gate);
    },
  };
}
