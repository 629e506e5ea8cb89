import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../../engine/engine.ts';

/** Added to the variance, as batch norms have it. */
const EPSILON = 1e-5;

/**
 * Batch norm without scale, shift and running statistics (RTMDet's distillation, Lyu et al. 2022): every channel of
 * x [B,H,W,C] with mean 0 and variance 1 over batch and pixels. Differentiable. The caller disposes the result.
 */
export const batchStandard = (ops: EngineOps, x: tf.Tensor4D): tf.Tensor4D =>
  tf.tidy(() => {
    const channels = x.shape[3];
    const { y, mean, variance } = ops.batchNormTrain(x, tf.ones([channels]), tf.zeros([channels]), EPSILON);
    tf.dispose([mean, variance]);
    return y;
  });
