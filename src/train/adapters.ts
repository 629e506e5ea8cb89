/** The trained layers between a student's feature and a teacher's: parameters beside the model's own. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { pairName } from '../loss/hint.ts';
import type { HintOptions } from '../loss/distillation-options.ts';
import type { ExtraParameter } from '../optim/parameter-layout.ts';
import { uniformValues } from './initial-state.ts';

export interface AdapterParameters {
  readonly declared: readonly ExtraParameter[];
  readonly values: ReadonlyMap<string, Float32Array>;
}

const keyOf = (pair: string, part: 'weight' | 'bias'): string => `adapter.${pair}.${part}`;

/**
 * Declares and initialises a 1x1 convolution with bias for every hint that asks for one: PyTorch's default, uniform
 * in ±1/sqrt(student channels), keyed by `seed`.
 */
export function createAdapters(
  hints: readonly HintOptions[],
  studentChannels: (layer: number) => number,
  teacherChannels: (layer: number) => number,
  seed: number,
): AdapterParameters {
  const declared: ExtraParameter[] = [];
  const values = new Map<string, Float32Array>();
  hints.forEach((hint, index) => {
    if (hint.adapter === 'none') return;
    const from = studentChannels(hint.student);
    const to = teacherChannels(hint.teacher);
    const bound = 1 / Math.sqrt(from);
    const pair = pairName(hint);
    const weight = keyOf(pair, 'weight');
    const bias = keyOf(pair, 'bias');
    declared.push(
      { key: weight, group: 'adapterWeight', shape: [1, 1, from, to] },
      { key: bias, group: 'adapterBias', shape: [to] },
    );
    values.set(weight, uniformValues(seed, 'adapter-weight', index, from * to, bound));
    values.set(bias, uniformValues(seed, 'adapter-bias', index, to, bound));
  });
  return { declared, values };
}

/** Applies the adapter of `pair` among the trainable `values`; the feature itself where there is none. */
export const applyAdapter =
  (values: ReadonlyMap<string, tf.Tensor>, ops: EngineOps) =>
  (pair: string, feature: tf.Tensor4D): tf.Tensor4D => {
    const weight = values.get(keyOf(pair, 'weight'));
    const bias = values.get(keyOf(pair, 'bias'));
    if (weight === undefined || bias === undefined) return feature;
    return tf.add(ops.conv2d(feature, weight as tf.Tensor4D, { stride: 1, padding: 0 }), bias);
  };
