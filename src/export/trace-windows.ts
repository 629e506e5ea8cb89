/** Kernels that look at a window of an image: convolution, max pool, enlargement. */
import * as tf from '@tensorflow/tfjs-core';
import { attr } from './graph-def.ts';
import { cannot, first, T, vector, type Translate } from './traced-node.ts';

const pair = (value: unknown): [number, number] => {
  if (typeof value === 'number') return [value, value];
  const [a, b] = value as [number, number];
  return [a, b];
};

const padding = (value: unknown): 'same' | 'valid' => {
  if (value === 'same' || value === 'valid') return value;
  throw cannot('padding same or valid', value);
};

export const convolution =
  (op: string, depthwise: boolean): Translate =>
  (inputs, attrs) => {
    const [x, w] = inputs as [tf.TensorInfo, tf.TensorInfo];
    const [strides, dilations] = [pair(attrs['strides']), pair(attrs['dilations'])];
    const pad = padding(attrs['pad']);
    const info = tf.backend_util.computeConv2DInfo(
      x.shape as [number, number, number, number],
      w.shape as [number, number, number, number],
      strides,
      dilations,
      pad,
      undefined,
      depthwise,
    );
    return {
      op,
      inputs,
      attrs: {
        T,
        strides: attr.integers([1, ...strides, 1]),
        dilations: attr.integers([1, ...dilations, 1]),
        padding: attr.text(pad.toUpperCase()),
        data_format: attr.text('NHWC'),
      },
      outputs: [info.outShape],
    };
  };

export const maxPool: Translate = (inputs, attrs) => {
  const [filter, strides] = [pair(attrs['filterSize']), pair(attrs['strides'])];
  const pad = padding(attrs['pad']);
  const shape = first(inputs).shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filter, strides, 1, pad);
  return {
    op: 'MaxPool',
    inputs,
    attrs: {
      T,
      ksize: attr.integers([1, ...filter, 1]),
      strides: attr.integers([1, ...strides, 1]),
      padding: attr.text(pad.toUpperCase()),
      data_format: attr.text('NHWC'),
    },
    outputs: [info.outShape],
  };
};

export const resizeNearest: Translate = (inputs, attrs) => {
  const size = attrs['size'] as readonly [number, number];
  const [b = 0, , , c = 0] = first(inputs).shape;
  return {
    op: 'ResizeNearestNeighbor',
    inputs,
    integers: [vector(size)],
    attrs: {
      T,
      align_corners: attr.flag(attrs['alignCorners'] === true),
      half_pixel_centers: attr.flag(attrs['halfPixelCenters'] === true),
    },
    outputs: [[b, ...size, c]],
  };
};
