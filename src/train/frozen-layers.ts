/** Which layers a run leaves as they are. */
import { SoftshardError } from '../errors.ts';
import type { ModelGraph } from '../model/graph.ts';

/**
 * The layers that `freeze` names: a list of indices, or one number N for the layers 0 to N - 1 (YOLOv5 v7.0). Their
 * batch norms go on counting statistics. Throws E_OPTION_CONFLICT on a layer that the model lacks, or when nothing is
 * left to train.
 */
export function frozenLayers(
  freeze: readonly number[],
  { layers }: Pick<ModelGraph, 'layers'>,
): ReadonlySet<number> {
  const [first = 0] = freeze;
  const frozen = new Set(freeze.length === 1 ? Array.from({ length: first }, (_, i) => i) : freeze);
  // The head follows the layers.
  const count = layers.length + 1;
  if ([...frozen].some((layer) => layer >= count) || frozen.size === count) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The layers to freeze cannot be used with this model.',
      where: '--freeze',
      expected: `layers among 0...${count - 1}, not all of them`,
      found: freeze.join(','),
    });
  }
  return frozen;
}
