/** An optimizer's step over the flat vectors as one call of our own ops. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps, VectorUpdate } from '../engine.ts';
import type { NativeBackend } from './native-backend.ts';

/** The numbers of a step in the order in which update-op.cc reads them. */
function settingsOf(update: VectorUpdate): number[] {
  const { rule, groups, momentum, beta2, epsilon, step, averageDecay } = update;
  const common = [momentum, averageDecay, 1 - averageDecay];
  if (rule === 'sgd')
    return [...common, ...groups.flatMap(({ learningRate, weightDecay }) => [learningRate, weightDecay])];
  return [
    ...common,
    ...[1 - momentum, beta2, 1 - beta2, Math.sqrt(1 - beta2 ** step), epsilon],
    ...groups.flatMap(({ learningRate, weightDecay }) => [
      learningRate / (1 - momentum ** step),
      weightDecay,
      1 - learningRate * weightDecay,
    ]),
  ];
}

export const libraryUpdate = (backend: NativeBackend): NonNullable<EngineOps['updateVectors']> => {
  const { binding } = backend;
  return ({ weights, gradient, slots, average }, update) =>
    tf.tidy(() => {
      const sizes = {
        name: 'sizes',
        type: binding.TF_ATTR_INT,
        value: update.groups.map(({ size }) => size),
      };
      const decoupled = { name: 'decoupled', type: binding.TF_ATTR_BOOL, value: update.rule === 'adamw' };
      const [name, attributes] =
        update.rule === 'sgd'
          ? (['SoftshardSgdUpdate', [sizes]] as const)
          : (['SoftshardAdamUpdate', [sizes, decoupled]] as const);
      const settings = tf.tensor1d(settingsOf(update), 'float32');
      const inputs = [weights, gradient, ...slots, average, settings];
      const results = backend.executeMultipleOutputs(name, [...attributes], inputs, slots.length + 2);
      return {
        weights: results[0] as tf.Tensor1D,
        slots: results.slice(1, -1) as tf.Tensor1D[],
        average: results[results.length - 1] as tf.Tensor1D,
      };
    });
};
