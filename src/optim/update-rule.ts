/** How an optimizer turns a gradient into new weights: one rule, applied to each group's range of the flat vector. */
import * as tf from '@tensorflow/tfjs-core';
import type { VectorUpdate } from '../engine/engine.ts';

export interface UpdateSettings {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export interface UpdateRule {
  readonly name: string;
  /** The engine's kernel that does the same to the bit, for rules that have one. */
  readonly kernel?: VectorUpdate['rule'];
  /** Names of the slots it keeps, each a vector as long as the weights, zero at first. */
  readonly slots: readonly string[];
  /** New weights and new slots; runs in a tidy. `step` counts updates from 1. */
  update(
    weights: tf.Tensor1D,
    gradient: tf.Tensor1D,
    slots: readonly tf.Tensor1D[],
    settings: UpdateSettings,
    step: number,
  ): { readonly weights: tf.Tensor1D; readonly slots: readonly tf.Tensor1D[] };
}

/** SGD with Nesterov momentum in PyTorch's form (dampening 0): buf = m buf + g; w -= lr (g + m buf). */
export const sgd: UpdateRule = {
  name: 'sgd',
  kernel: 'sgd',
  slots: ['momentum'],
  update: (weights, gradient, [buffer], { learningRate, momentum, weightDecay }) => {
    const g = weightDecay === 0 ? gradient : tf.add<tf.Tensor1D>(gradient, tf.mul(weights, weightDecay));
    const velocity = tf.add<tf.Tensor1D>(tf.mul(buffer ?? tf.zerosLike(g), momentum), g);
    const move = tf.add(g, tf.mul(velocity, momentum));
    return { weights: tf.sub(weights, tf.mul(move, learningRate)), slots: [velocity] };
  },
};

export const BETA2 = 0.999;
export const ADAM_EPSILON = 1e-8;

/** Adam (Kingma & Ba 2015) or, with `decoupled`, AdamW (Loshchilov & Hutter 2019); beta1 is the momentum. */
const adaptive = (name: 'adam' | 'adamw', decoupled: boolean): UpdateRule => ({
  name,
  kernel: name,
  slots: ['firstMoment', 'secondMoment'],
  update: (weights, gradient, [m0, v0], { learningRate, momentum, weightDecay }, step) => {
    const g = decoupled || weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(weights, weightDecay));
    const start = decoupled ? tf.mul(weights, 1 - learningRate * weightDecay) : weights;
    const m = tf.add<tf.Tensor1D>(tf.mul(m0 ?? tf.zerosLike(g), momentum), tf.mul(g, 1 - momentum));
    const v = tf.add<tf.Tensor1D>(tf.mul(v0 ?? tf.zerosLike(g), BETA2), tf.mul(tf.square(g), 1 - BETA2));
    const scale = learningRate / (1 - momentum ** step);
    const denominator = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - BETA2 ** step)), ADAM_EPSILON);
    return { weights: tf.sub(start, tf.mul(tf.div(m, denominator), scale)), slots: [m, v] };
  },
});

export const adam = adaptive('adam', false);
export const adamw = adaptive('adamw', true);

export const UPDATE_RULES = { sgd, adam, adamw } as const;
export type UpdateRuleName = keyof typeof UPDATE_RULES;
