/** A tfjs kernel as a GraphDef node, and the shape it gives; nothing is computed. */
import type * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import { attr, type AttrValue } from './graph-def.ts';

export type Shape = readonly number[];

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

/** Attributes of a tfjs kernel. */
export type Attrs = Readonly<Record<string, unknown>>;
/** What a kernel is as a node. */
export type Translate = (inputs: readonly tf.TensorInfo[], attrs: Attrs) => TracedNode;

/** The types that nodes are told. */
export const T = attr.type('float32');
export const INT = attr.type('int32');

/**
 * Stands for the batch while tracing: a prime above any other dimension, so that a dimension is a multiple of it
 * exactly where the batch is part of it.
 */
export const BATCH = 1_000_003;

/** Dimensions that hold the batch are left open. */
export const openShape = (shape: Shape): number[] => shape.map((d) => (d > 0 && d % BATCH === 0 ? -1 : d));

/** E_EXPORT for what GraphDef, or its reader, has no word for. */
export const cannot = (what: string, found: unknown): SoftshardError =>
  new SoftshardError('E_EXPORT', {
    message: 'The model uses an operation that cannot be exported.',
    expected: what,
    found: JSON.stringify(found),
  });

/** The first input of a kernel. */
export const first = (inputs: readonly tf.TensorInfo[]): tf.TensorInfo => {
  const [x] = inputs;
  if (x === undefined) throw new Error('a kernel was called without inputs');
  return x;
};

/** An integer input: a vector, and a scalar. */
export const vector = (values: readonly number[]): IntegerInput => ({ values, shape: [values.length] });
export const whole = (value: number): IntegerInput => ({ values: [value], shape: [] });
