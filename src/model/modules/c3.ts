import * as tf from '@tensorflow/tfjs-core';
import { nested, type Module } from '../module.ts';
import { bottleneck, type BottleneckOptions } from './bottleneck.ts';
import { conv } from './conv.ts';
import { sequential } from './sequential.ts';

/** Cross-stage partial block with three convolutions and `repeats` bottlenecks: YOLOv5's `C3`. */
export function c3(options: BottleneckOptions & { readonly repeats: number }): Module {
  const { inChannels, outChannels, repeats, shortcut = true, groups = 1, expansion = 0.5 } = options;
  const activation = options.activation ?? 'silu';
  const hidden = Math.trunc(outChannels * expansion);
  const cv1 = conv({ inChannels, outChannels: hidden, activation });
  const cv2 = conv({ inChannels, outChannels: hidden, activation });
  const cv3 = conv({ inChannels: 2 * hidden, outChannels, activation });
  const inner = { inChannels: hidden, outChannels: hidden, shortcut, groups, expansion: 1, activation };
  const m = sequential(Array.from({ length: repeats }, () => bottleneck(inner)));
  return {
    outChannels,
    reduction: 1,
    ...nested({ cv1, cv2, cv3, m }),
    forward: (inputs, scope) => {
      const deep = m.forward([cv1.forward(inputs, scope.child('cv1'))], scope.child('m'));
      const shallow = cv2.forward(inputs, scope.child('cv2'));
      return cv3.forward([tf.concat([deep, shallow], 3)], scope.child('cv3'));
    },
  };
}
