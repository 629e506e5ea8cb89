/** Kernels that move values and compute none: padding, shapes, slices, joins. */
import * as tf from '@tensorflow/tfjs-core';
import { attr } from './graph-def.ts';
import { cannot, first, INT, openShape, T, vector, whole, type Translate } from './traced-node.ts';

export const pad: Translate = (inputs, attrs) => {
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

export const reshape: Translate = (inputs, attrs) => {
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

export const slice: Translate = (inputs, attrs) => {
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

export const splitV: Translate = (inputs, attrs) => {
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

export const concat: Translate = (inputs, attrs) => {
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

export const tile: Translate = (inputs, attrs) => {
  const reps = attrs['reps'] as readonly number[];
  const outputs = [first(inputs).shape.map((d, i) => d * (reps[i] ?? 1))];
  return { op: 'Tile', inputs, integers: [vector(reps)], attrs: { T, Tmultiples: INT }, outputs };
};

export const transpose: Translate = (inputs, attrs) => {
  const perm = attrs['perm'] as readonly number[];
  const outputs = [perm.map((axis) => first(inputs).shape[axis] ?? 0)];
  return { op: 'Transpose', inputs, integers: [vector(perm)], attrs: { T, Tperm: INT }, outputs };
};
