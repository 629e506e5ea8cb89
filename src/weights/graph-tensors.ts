/** The tensors of a weight file under the keys of a model's graph. */
import type { StateDict } from '../model/tensor-data.ts';
import { DARKNET_VALUES, darknetState, type DarknetGraph } from './darknet.ts';
import type { LoadedWeights } from './load.ts';
import { fromTorchvision } from './torchvision.ts';

/**
 * Weights of torchvision's MobileNets are renamed, those of darknet get their names from the graph; all others are
 * what the file holds. Throws E_WEIGHTS_FORMAT where a darknet file holds other values than the graph.
 */
export function graphTensors(
  { state, format }: Pick<LoadedWeights, 'state' | 'format'>,
  graph: DarknetGraph,
  where: string,
): StateDict {
  const values = format === 'darknet' ? state.get(DARKNET_VALUES)?.data : undefined;
  if (values instanceof Float32Array) return darknetState(values, graph, where);
  return fromTorchvision(state) ?? state;
}
