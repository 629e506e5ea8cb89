/** State dicts of torchvision's MobileNetV2 and V3 under the keys of a graph whose first rows are their `features`. */
import { BATCH_NORM_EPSILON } from '../model/fold.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { toFloat32Array } from './tensor-bytes.ts';

/** Epsilon of torchvision's batch norms in MobileNetV2; V3 has 1e-3, as all models here. */
const V2_EPSILON = 1e-5;

/**
 * The scale that gives a batch norm the same output with our epsilon: gamma sqrt((variance + 1e-3) / (variance + 1e-5)).
 * Exact with running statistics.
 */
function rescaled(gamma: TensorData, variance: TensorData): TensorData {
  const variances = toFloat32Array(variance);
  const data = toFloat32Array(gamma).map((value, i) => {
    const v = variances[i] ?? 0;
    return value * Math.sqrt((v + BATCH_NORM_EPSILON) / (v + V2_EPSILON));
  });
  return { dtype: 'float32', shape: gamma.shape, data };
}

/**
 * The tensors of `features.N` as `model.N`, with the epsilons of V2 worked into the scales; undefined for any other
 * state dict. The classifier of 1000 classes is left out.
 */
export function fromTorchvision(state: StateDict): StateDict | undefined {
  const isV2 = state.has('features.1.conv.0.0.weight');
  if (!isV2 && !state.has('features.1.block.0.0.weight')) return undefined;
  const renamed = new Map<string, TensorData>();
  for (const [key, tensor] of state) {
    if (!key.startsWith('features.')) continue;
    const variance = isV2 ? state.get(key.replace(/\.weight$/, '.running_var')) : undefined;
    const isGamma = variance !== undefined && key.endsWith('.weight');
    renamed.set(`model.${key.slice('features.'.length)}`, isGamma ? rescaled(tensor, variance) : tensor);
  }
  return renamed;
}
