import { BATCH_NORM_EPSILON } from '../model/fold.ts';
import type { TensorData } from '../model/tensor-data.ts';
import { toFloat32Array } from './tensor-bytes.ts';

/**
 * The scales that give a batch norm the same output with our epsilon as it has with its own: gamma
 * sqrt((variance + 1e-3) / (variance + epsilon)). Exact with running statistics.
 */
export function scalesForEpsilon(gamma: TensorData, variance: TensorData, epsilon: number): TensorData {
  const variances = toFloat32Array(variance);
  const data = toFloat32Array(gamma).map((value, i) => {
    const v = variances[i] ?? 0;
    return value * Math.sqrt((v + BATCH_NORM_EPSILON) / (v + epsilon));
  });
  return { dtype: 'float32', shape: gamma.shape, data };
}
