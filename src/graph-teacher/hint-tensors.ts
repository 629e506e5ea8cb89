/** The tensors that hints name in a foreign graph. */
import { SoftshardError } from '../errors.ts';
import { nearestName } from '../text/nearest-name.ts';
import { tensorNames, type GraphDescription } from './graph-description.ts';

/** A feature that is cached: the number it has in the cache, and its tensor in the graph. */
export interface HintTensor {
  readonly layer: number;
  readonly tensor: string;
}

const unknown = (message: string, found: string, expected: string, remedy: string): SoftshardError =>
  new SoftshardError('E_LOSS', { message, where: '--hints', found, expected, remedy });

/** Throws E_LOSS, with the nearest name, unless the graph makes a tensor of that name. */
export function checkTensor(graph: GraphDescription, tensor: string, where: string): void {
  const names = tensorNames(graph);
  if (names.includes(tensor)) return;
  throw new SoftshardError('E_LOSS', {
    message: 'The graph of the teacher makes no tensor of this name.',
    where,
    expected: `such as ${nearestName(tensor, names) ?? names.at(-1) ?? 'none'}`,
    found: tensor,
    remedy: 'Look at the graph, for instance with Netron, and give the name of a tensor.',
  });
}

/**
 * What layer `layer` of a model hands on, where the exporter named tensors by module (`/model.17/...`, as PyTorch's does
 * for YOLOv5): the last tensor under the prefix that a node outside of it reads.
 */
function layerTensor({ nodes }: GraphDescription, layer: number): string | undefined {
  const prefix = `/model.${layer}/`;
  const inside = nodes.filter(({ outputs }) => outputs.some((name) => name.startsWith(prefix)));
  const outside = new Set(nodes.filter((node) => !inside.includes(node)).flatMap(({ inputs }) => inputs));
  return inside.flatMap(({ outputs }) => outputs).findLast((name) => outside.has(name));
}

/**
 * Hints by layer number, each keeping its number, or all by tensor name, numbered from 0 in their order. Throws E_LOSS
 * for a name or number that the graph does not have, and for a mixture.
 */
export function hintTensors(graph: GraphDescription, hints: readonly (number | string)[]): HintTensor[] {
  const names = hints.filter((hint) => typeof hint === 'string');
  if (names.length > 0 && names.length < hints.length) {
    throw unknown(
      'Hints are all numbers of layers or all names of tensors.',
      hints.join(','),
      'one kind',
      'Give the names of all tensors.',
    );
  }
  return hints.map((hint, position) => {
    if (typeof hint === 'string') {
      checkTensor(graph, hint, '--hints');
      return { layer: position, tensor: hint };
    }
    const tensor = layerTensor(graph, hint);
    if (tensor !== undefined) return { layer: hint, tensor };
    throw unknown(
      'The graph of the teacher has no layer of this number.',
      String(hint),
      `a tensor under /model.${hint}/, as PyTorch's exporter names them`,
      'Give the names of tensors: --hints NAME,NAME.',
    );
  });
}
