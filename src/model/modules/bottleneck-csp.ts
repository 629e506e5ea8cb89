import * as tf from '@tensorflow/tfjs-core';
import { filterEntry, nested, normEntries, type Module } from '../module.ts';
import { bottleneck, type BottleneckOptions } from './bottleneck.ts';
import { conv } from './conv.ts';
import { sequential } from './sequential.ts';

const pointwise = { stride: 1, padding: 0 } as const;

/** The cross-stage partial block of the first YOLOv5 releases, with one batch norm over both branches. */
export function bottleneckCsp(options: BottleneckOptions & { readonly repeats: number }): Module {
  const { inChannels, outChannels, repeats, shortcut = true, groups = 1, expansion = 0.5 } = options;
  const activation = options.activation ?? 'silu';
  const hidden = Math.trunc(outChannels * expansion);
  const cv1 = conv({ inChannels, outChannels: hidden, activation });
  const cv4 = conv({ inChannels: 2 * hidden, outChannels, activation });
  const inner = { inChannels: hidden, outChannels: hidden, shortcut, groups, expansion: 1, activation };
  const m = sequential(Array.from({ length: repeats }, () => bottleneck(inner)));
  const first = nested({ cv1 });
  const rest = nested({ m });
  const fourth = nested({ cv4 });
  return {
    outChannels,
    reduction: 1,
    entries: [
      ...first.entries,
      filterEntry('cv2.weight', [hidden, inChannels, 1, 1]),
      filterEntry('cv3.weight', [hidden, hidden, 1, 1]),
      ...fourth.entries,
      ...normEntries('bn', 2 * hidden),
      ...rest.entries,
    ],
    foldable: [...first.foldable, ...fourth.foldable, ...rest.foldable],
    forward: (inputs, scope) => {
      const [x] = inputs;
      if (x === undefined) throw new Error('BottleneckCSP takes one input');
      const deep = m.forward([cv1.forward(inputs, scope.child('cv1'))], scope.child('m'));
      const left = scope.ops.conv2d(deep, scope.value('cv3.weight') as tf.Tensor4D, pointwise);
      const right = scope.ops.conv2d(x, scope.value('cv2.weight') as tf.Tensor4D, pointwise);
      const both = scope.batchNorm('bn', tf.concat([left, right], 3), activation);
      return cv4.forward([both], scope.child('cv4'));
    },
  };
}
