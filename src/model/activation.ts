/** Activations by the names that model descriptions use; never evaluated as code. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';

export const ACTIVATIONS = [
  'silu',
  'relu',
  'relu6',
  'leaky_relu',
  'hardswish',
  'hardsigmoid',
  'identity',
] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];

/** relu6(x + 3) / 6 (Howard et al. 2019, section 5.2). */
const hardSigmoid = (x: tf.Tensor4D): tf.Tensor4D => tf.div(tf.relu6(tf.add(x, 3)), 6);

/** Applies an activation. Leaky ReLU has slope 0.1. */
export function activate(name: ActivationName, x: tf.Tensor4D, ops: EngineOps): tf.Tensor4D {
  switch (name) {
    case 'silu':
      return ops.silu(x);
    case 'relu':
      return tf.relu(x);
    case 'relu6':
      return tf.relu6(x);
    case 'leaky_relu':
      return tf.leakyRelu(x, 0.1);
    case 'hardswish':
      return tf.mul(x, hardSigmoid(x));
    case 'hardsigmoid':
      return hardSigmoid(x);
    case 'identity':
      return x;
  }
}

const EXPRESSIONS: Readonly<Record<string, ActivationName>> = {
  'nn.SiLU()': 'silu',
  'nn.ReLU()': 'relu',
  'nn.ReLU6()': 'relu6',
  'nn.LeakyReLU(0.1)': 'leaky_relu',
  'nn.Hardswish()': 'hardswish',
  'nn.Hardsigmoid()': 'hardsigmoid',
  'nn.Identity()': 'identity',
};

/** The activation that a description's `activation:` names. Throws E_MODEL_YAML on anything not in the list. */
export function activationOf(expression: string, where: string): ActivationName {
  const name = EXPRESSIONS[expression.replaceAll(' ', '')];
  if (name === undefined) {
    throw new SoftshardError('E_MODEL_YAML', {
      message: 'The model description names an activation that is not known.',
      expected: Object.keys(EXPRESSIONS).join(', '),
      found: expression,
      where,
    });
  }
  return name;
}
