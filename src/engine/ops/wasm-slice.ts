/**
 * Slice and SplitV for the wasm backend, whose own kernels first copy all of their input: a slice then costs as much as
 * the tensor that it is cut from.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { NumberArray, WasmBackend } from './wasm-heap.ts';

/** Below this many elements a loop is faster than a call of `set`. */
const SHORT = 48;

/** Copies the box at `begin` of `size` out of `from` [shape] into `to`, both row-major. */
export function copyBox(
  from: NumberArray,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
  to: NumberArray,
): void {
  // Axes that are taken whole join the one before them: what is left of the last axes is one run.
  let axes = shape.length;
  let run = 1;
  while (axes > 0 && size[axes - 1] === shape[axes - 1]) run *= shape[--axes] ?? 1;
  let start = 0;
  let stride = run;
  const strides = new Array<number>(axes);
  for (let axis = axes - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    start += (begin[axis] ?? 0) * stride;
    stride *= shape[axis] ?? 1;
  }
  if (axes > 0) run *= size[--axes] ?? 1;
  let written = 0;
  const copy = (axis: number, offset: number): void => {
    if (axis < axes) {
      const step = strides[axis] ?? 0;
      const end = offset + (size[axis] ?? 0) * step;
      for (let at = offset; at < end; at += step) copy(axis + 1, at);
    } else if (run < SHORT) {
      for (let i = 0; i < run; i++) to[written + i] = from[offset + i] ?? 0;
      written += run;
    } else {
      to.set(from.subarray(offset, offset + run), written);
      written += run;
    }
  };
  if (to.length > 0) copy(0, start);
}

const cut = (
  backend: WasmBackend,
  x: tf.TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): tf.TensorInfo => {
  const out = backend.makeOutput(size, x.dtype);
  copyBox(backend.typedArrayFromHeap(x), x.shape, begin, size, backend.typedArrayFromHeap(out));
  return out;
};

type Arguments = Parameters<tf.KernelFunc>[0];

/** The kernel Slice, for tensors of numbers and booleans. */
export const sliceKernel = ({ inputs, attrs, backend }: Arguments): tf.TensorInfo => {
  const x = inputs['x'] as tf.Tensor;
  const { begin, size } = attrs as unknown as { begin: number | number[]; size: number | number[] };
  const [from, extent] = tf.slice_util.parseSliceParams(x, begin, size);
  return cut(backend as WasmBackend, x, from ?? [], extent ?? []);
};

/** The kernel SplitV, likewise. */
export const splitKernel = ({ inputs, attrs, backend }: Arguments): tf.TensorInfo[] => {
  const x = inputs['x'] as tf.Tensor;
  const { numOrSizeSplits, axis } = attrs as unknown as { numOrSizeSplits: number | number[]; axis: number };
  const [along = 0] = tf.util.parseAxisParam(axis, x.shape);
  let start = 0;
  return tf.backend_util.prepareSplitSize(x, numOrSizeSplits, along).map((length) => {
    const begin = x.shape.map((_, i) => (i === along ? start : 0));
    const size = x.shape.map((whole, i) => (i === along ? length : whole));
    start += length;
    return cut(backend as unknown as WasmBackend, x, begin, size);
  });
};
