/** One optimizer step over flat vectors: the engine's kernel where it has one, else the rule group by group. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps, UpdateVectors, VectorUpdate } from '../engine/engine.ts';
import { ADAM_EPSILON, BETA2, type UpdateRule } from './update-rule.ts';

/** Settings of a step; `groups` are the ranges of the vectors in order, which they cover. */
export type RuleStep = Pick<VectorUpdate, 'groups' | 'momentum' | 'step' | 'averageDecay'>;

/** New weights, slots, and average old * averageDecay + weights * (1 - averageDecay). Runs in a tidy. */
export function applyRule(
  rule: UpdateRule,
  vectors: UpdateVectors,
  step: RuleStep,
  ops: Pick<EngineOps, 'updateVectors'>,
): Omit<UpdateVectors, 'gradient'> {
  if (rule.kernel !== undefined && ops.updateVectors !== undefined)
    return ops.updateVectors(vectors, { ...step, rule: rule.kernel, beta2: BETA2, epsilon: ADAM_EPSILON });
  const { momentum, averageDecay } = step;
  let offset = 0;
  const parts = step.groups
    .filter(({ size }) => size > 0)
    .map(({ size, learningRate, weightDecay }) => {
      const start = offset;
      offset += size;
      const cut = (vector: tf.Tensor1D): tf.Tensor1D => tf.slice1d(vector, start, size);
      return rule.update(
        cut(vectors.weights),
        cut(vectors.gradient),
        vectors.slots.map(cut),
        { learningRate, momentum, weightDecay },
        step.step,
      );
    });
  const weights = tf.concat1d(parts.map((part) => part.weights));
  return {
    weights,
    slots: rule.slots.map((_, i) => tf.concat1d(parts.flatMap((part) => part.slots[i] ?? []))),
    average: tf.add(tf.mul(vectors.average, averageDecay), tf.mul(weights, 1 - averageDecay)),
  };
}
