/** The detection head: one 1x1 convolution with bias a level, raw logits out. */
import * as tf from '@tensorflow/tfjs-core';
import type { Entry, Scope } from '../module.ts';
import { filterEntry } from '../module.ts';
import type { HeadSpec } from '../detector.ts';

/**
 * Prior of the biases (Lin et al. 2017, section 3.3; YOLOv5 v7.0 constants): 8 objects an image of 640 pixels,
 * classes 0.6 / (nc - 0.99999). Added to the default initialisation, by channel a*no + k.
 */
const prior =
  (stride: number, nc: number) =>
  (index: number): number => {
    const k = index % (nc + 5);
    if (k === 4) return Math.log(8 / (640 / stride) ** 2);
    return k > 4 ? Math.log(0.6 / (nc - 0.99999)) : 0;
  };

/** State-dict entries: the anchors buffer [nl,na,2] in grid units, then weight and bias of each level. */
export function detectEntries(head: Omit<HeadSpec, 'names'>, inChannels: readonly number[]): Entry[] {
  const outputs = head.na * head.no;
  return [
    { name: 'anchors', shape: [head.strides.length, head.na, 2], role: 'anchors', initial: { value: 0 } },
    ...inChannels.flatMap((channels, level): Entry[] => {
      const filter = filterEntry(`m.${level}.weight`, [outputs, channels, 1, 1]);
      return [
        filter,
        {
          name: `m.${level}.bias`,
          shape: [outputs],
          role: 'bias',
          initial: filter.initial,
          offset: prior(head.strides[level] ?? 1, head.nc),
        },
      ];
    }),
  ];
}

/** Raw logits of each level in grid layout [B, ny, nx, na, no]. */
export function detectHeads(
  inputs: readonly tf.Tensor4D[],
  scope: Scope,
  head: Pick<HeadSpec, 'na' | 'no'>,
): tf.Tensor5D[] {
  return inputs.map((x, level) => {
    const y = scope.convBias(x, `m.${level}`, { stride: 1, padding: 0 });
    const [b, h, w] = y.shape;
    return tf.reshape(y, [b, h, w, head.na, head.no]);
  });
}
