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
