/** State dicts of torchvision's MobileNetV2 and V3 under the keys of a graph whose first rows are their `features`. */
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { scalesForEpsilon } from './norm-epsilon.ts';

/** Epsilon of torchvision's batch norms in MobileNetV2; V3 has 1e-3, as all models here. */
const V2_EPSILON = 1e-5;

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
    renamed.set(
      `model.${key.slice('features.'.length)}`,
      isGamma ? scalesForEpsilon(tensor, variance, V2_EPSILON) : tensor,
    );
  }
  return renamed;
}
