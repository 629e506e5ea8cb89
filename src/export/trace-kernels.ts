/** What each tfjs kernel is as a GraphDef node, and the shape it gives; nothing is computed. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import { attr, type AttrValue } from './graph-def.ts';

type Shape = readonly number[];

/** An integer vector or matrix that the node takes as an input. */
export interface IntegerInput {
  readonly values: readonly number[];
  readonly shape: Shape;
}

/** A node before it has a name. */
export interface TracedNode {
  readonly op: string;
  readonly inputs: readonly tf.TensorInfo[];
  /** Follow the inputs. */
  readonly integers?: readonly IntegerInput[];
  /** A float32 scalar that follows those. */
  readonly scalar?: number;
  readonly attrs: Readonly<Record<string, AttrValue>>;
  /** One shape an output. */
  readonly outputs: readonly Shape[];
}

type Attrs = Readonly<Record<string, unknown>>;
type Translate = (inputs: readonly tf.TensorInfo[], attrs: Attrs) => TracedNode;

const T = attr.type('float32');
const INT = attr.type('int32');

/**
 * Stands for the batch while tracing: a prime above any other dimension, so that a dimension is a multiple of it
 * exactly where the batch is part of it.
 */
export const BATCH = 1_000_003;

/** Dimensions that hold the batch are left open. */
export const openShape = (shape: Shape): number[] => shape.map((d) => (d > 0 && d % BATCH === 0 ? -1 : d));

const cannot = (what: string, found: unknown): SoftshardError =>
  new SoftshardError('E_EXPORT', {
    message: 'The model uses an operation that cannot be exported.',
    expected: what,
    found: JSON.stringify(found),
  });

const pair = (value: unknown): [number, number] => {
  if (typeof value === 'number') return [value, value];
  const [a, b] = value as [number, number];
  return [a, b];
};

const padding = (value: unknown): 'same' | 'valid' => {
  if (value === 'same' || value === 'valid') return value;
  throw cannot('padding same or valid', value);
};

const first = (inputs: readonly tf.TensorInfo[]): tf.TensorInfo => {
  const [x] = inputs;
  if (x === undefined) throw new Error('a kernel was called without inputs');
  return x;
};

const vector = (values: readonly number[]): IntegerInput => ({ values, shape: [values.length] });
const whole = (value: number): IntegerInput => ({ values: [value], shape: [] });

const unary =
  (op: string): Translate =>
  (inputs) => ({ op, inputs, attrs: { T }, outputs: [first(inputs).shape] });

const binary =
  (op: string): Translate =>
  (inputs) => {
    const [a, b] = inputs as [tf.TensorInfo, tf.TensorInfo];
    return {
      op,
      inputs,
      attrs: { T },
      outputs: [tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)],
    };
  };

const convolution =
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

const maxPool: Translate = (inputs, attrs) => {
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

const pad: Translate = (inputs, attrs) => {
  const paddings = attrs['paddings'] as readonly (readonly [number, number])[];
  const value = attrs['constantValue'] as number;
  const node = {
    inputs,
    integers: [{ values: paddings.flat(), shape: [paddings.length, 2] }],
    attrs: { T, Tpaddings: INT },
    outputs: [
      first(inputs).shape.map((d, i) => d + (paddings[i] ?? [0, 0]).reduce<number>((sum, p) => sum + p, 0)),
    ],
  };
  return value === 0 ? { op: 'Pad', ...node } : { op: 'PadV2', ...node, scalar: value };
};

const reshape: Translate = (inputs, attrs) => {
  const x = first(inputs);
  const shape = tf.util.inferFromImplicitShape(
    attrs['shape'] as number[],
    tf.util.sizeFromShape([...x.shape]),
  );
  const open = openShape(shape);
  if (open.filter((d) => d === -1).length > 1) throw cannot('the batch in one dimension', shape);
  return {
    op: 'Reshape',
    inputs: [x],
    integers: [vector(open)],
    attrs: { T, Tshape: INT },
    outputs: [shape],
  };
};

const slice: Translate = (inputs, attrs) => {
  const x = first(inputs);
  const [begin = [], size = []] = tf.slice_util.parseSliceParams(
    x,
    attrs['begin'] as number[],
    attrs['size'] as number[],
  );
  return {
    op: 'Slice',
    inputs: [x],
    integers: [vector(begin), vector(openShape(size))],
    attrs: { T, Index: INT },
    outputs: [size],
  };
};

const splitV: Translate = (inputs, attrs) => {
  const x = first(inputs);
  const axis = tf.util.parseAxisParam(attrs['axis'] as number, [...x.shape])[0] ?? 0;
  const parts = attrs['numOrSizeSplits'] as number | readonly number[];
  const length = x.shape[axis] ?? 0;
  const sizes = typeof parts === 'number' ? Array.from({ length: parts }, () => length / parts) : [...parts];
  return {
    op: 'SplitV',
    inputs: [x],
    integers: [vector(sizes), whole(axis)],
    attrs: { T, Tlen: INT, num_split: attr.integer(sizes.length) },
    outputs: sizes.map((size) => x.shape.map((d, i) => (i === axis ? size : d))),
  };
};

const concat: Translate = (inputs, attrs) => {
  const axis = tf.util.parseAxisParam(attrs['axis'] as number, [...first(inputs).shape])[0] ?? 0;
  return {
    op: 'ConcatV2',
    inputs,
    integers: [whole(axis)],
    attrs: { T, Tidx: INT, N: attr.integer(inputs.length) },
    outputs: [
      tf.backend_util.computeOutShape(
        inputs.map(({ shape }) => [...shape]),
        axis,
      ),
    ],
  };
};

/** By tfjs kernel: the order of its named inputs, and its translation. */
export const TRACE_KERNELS: Readonly<
  Record<string, { readonly inputs?: readonly string[]; readonly translate: Translate }>
> = {
  Add: { inputs: ['a', 'b'], translate: binary('AddV2') },
  Sub: { inputs: ['a', 'b'], translate: binary('Sub') },
  Multiply: { inputs: ['a', 'b'], translate: binary('Mul') },
  RealDiv: { inputs: ['a', 'b'], translate: binary('RealDiv') },
  Identity: { translate: unary('Identity') },
  Sigmoid: { translate: unary('Sigmoid') },
  Square: { translate: unary('Square') },
  Relu: { translate: unary('Relu') },
  Relu6: { translate: unary('Relu6') },
  LeakyRelu: {
    translate: (inputs, attrs) => ({
      ...unary('LeakyRelu')(inputs, attrs),
      attrs: { T, alpha: attr.float(attrs['alpha'] as number) },
    }),
  },
  Conv2D: { inputs: ['x', 'filter'], translate: convolution('Conv2D', false) },
  DepthwiseConv2dNative: {
    inputs: ['x', 'filter'],
    translate: convolution('DepthwiseConv2dNative', true),
  },
  FusedBatchNorm: {
    inputs: ['x', 'scale', 'offset', 'mean', 'variance'],
    translate: (inputs, attrs) => ({
      ...unary('FusedBatchNormV3')(inputs, attrs),
      attrs: {
        T,
        U: T,
        epsilon: attr.float(attrs['varianceEpsilon'] as number),
        is_training: attr.flag(false),
        data_format: attr.text('NHWC'),
      },
    }),
  },
  MaxPool: { translate: maxPool },
  PadV2: { translate: pad },
  Reshape: { translate: reshape },
  Slice: { translate: slice },
  SplitV: { translate: splitV },
  Concat: { translate: concat },
  Tile: {
    translate: (inputs, attrs) => {
      const reps = attrs['reps'] as readonly number[];
      const outputs = [first(inputs).shape.map((d, i) => d * (reps[i] ?? 1))];
      return { op: 'Tile', inputs, integers: [vector(reps)], attrs: { T, Tmultiples: INT }, outputs };
    },
  },
  Transpose: {
    translate: (inputs, attrs) => {
      const perm = attrs['perm'] as readonly number[];
      const outputs = [perm.map((axis) => first(inputs).shape[axis] ?? 0)];
      return { op: 'Transpose', inputs, integers: [vector(perm)], attrs: { T, Tperm: INT }, outputs };
    },
  },
  ResizeNearestNeighbor: {
    inputs: ['images'],
    translate: (inputs, attrs) => {
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
    },
  },
};
