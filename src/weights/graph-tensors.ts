/** The tensors of a weight file under the keys of a model's graph. */
import type { StateDict } from '../model/tensor-data.ts';
import type { LoadedWeights } from './load.ts';
import { fromTorchvision } from './torchvision.ts';

/** Weights of torchvision's MobileNets are renamed; all others are what the file holds. */
export const graphTensors = ({ state }: Pick<LoadedWeights, 'state'>): StateDict =>
  fromTorchvision(state) ?? state;
