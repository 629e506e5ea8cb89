import * as tf from '@tensorflow/tfjs-core';
import { nested, type Module } from '../module.ts';
import { conv, type ConvOptions } from './conv.ts';

/**
 * `Focus`: the four pixel phases side by side as channels, then a convolution. Order of the phases:
 * (row, column) = (even, even), (odd, even), (even, odd), (odd, odd).
 */
export function focus(options: ConvOptions): Module {
  const inner = conv({ ...options, inChannels: 4 * options.inChannels });
  return {
    outChannels: inner.outChannels,
    reduction: 2 * inner.reduction,
    ...nested({ conv: inner }),
    forward: ([x], scope) => {
      if (x === undefined) throw new Error('Focus takes one input');
      const [b, h, w, c] = x.shape;
      // [B, H/2, 2(row), W/2, 2(col) * C] -> channel blocks ordered by column phase, then row phase.
      const blocks = tf.reshape(x, [(b * h) / 2, 2, w / 2, 2 * c]);
      const phase = (row: number, column: number): tf.Tensor =>
        tf.reshape(tf.slice(blocks, [0, row, 0, column * c], [-1, 1, -1, c]), [b, h / 2, w / 2, c]);
      const phases = [phase(0, 0), phase(1, 0), phase(0, 1), phase(1, 1)];
      return inner.forward([tf.concat(phases, 3) as tf.Tensor4D], scope.child('conv'));
    },
  };
}
