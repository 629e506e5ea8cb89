/** Modules without values of their own. */
import * as tf from '@tensorflow/tfjs-core';
import type { Module } from '../module.ts';

const bare = { entries: [], foldable: [] } as const;

/** Joins its inputs along the channels, in order. */
export const concat = (inChannels: readonly number[]): Module => ({
  ...bare,
  outChannels: inChannels.reduce((sum, c) => sum + c, 0),
  reduction: 1,
  forward: (inputs) => tf.concat([...inputs], 3),
});

/** Nearest-neighbour enlargement by 2. */
export const upsample = (channels: number): Module => ({
  ...bare,
  outChannels: channels,
  reduction: 0.5,
  forward: ([x], scope) => {
    if (x === undefined) throw new Error('Upsample takes one input');
    return scope.ops.upsample2(x);
  },
});

/** Max pooling without padding. */
export const maxPool = (channels: number, kernel: number, stride: number): Module => ({
  ...bare,
  outChannels: channels,
  reduction: stride,
  forward: ([x]) => {
    if (x === undefined) throw new Error('MaxPool2d takes one input');
    return tf.maxPool(x, kernel, stride, 'valid');
  },
});

/** The channels `index * size` to `(index + 1) * size`: a darknet route with groups. */
export const channelGroup = (size: number, index: number): Module => ({
  ...bare,
  outChannels: size,
  reduction: 1,
  forward: ([x]) => {
    if (x === undefined) throw new Error('ChannelGroup takes one input');
    return tf.slice(x, [0, 0, 0, index * size], [-1, -1, -1, size]);
  },
});

/** Its input as it is: a row that another numbering counts. */
export const identity = (channels: number): Module => ({
  ...bare,
  outChannels: channels,
  reduction: 1,
  forward: ([x]) => {
    if (x === undefined) throw new Error('Identity takes one input');
    return tf.clone(x);
  },
});
