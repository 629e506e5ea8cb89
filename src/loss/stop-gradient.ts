import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';

/**
 * The value of `compute`, through which no gradient flows (detach, stop_gradient): what is computed inside is not
 * recorded. The caller disposes the result.
 */
export const stopGradient = <T extends tf.Tensor>(compute: () => T): T =>
  // An operation's own gradient covers its inputs alone; the only input here is a constant.
  withGradient<T>([tf.scalar(0)], () => ({ value: compute(), gradient: () => [tf.scalar(0)] }));
