/** Finds the raw heads of a detector's graph: the last convolutions before its first output. */
import type { GraphDescription, GraphNode } from './graph-description.ts';

const CONVOLUTIONS = new Set(['Conv', 'Conv2D', '_FusedConv2D']);
const SUMS = new Set(['Add', 'AddV2', 'BiasAdd']);
const VALUES = new Set(['Const', 'Constant']);

/** Names of everything that does not depend on the images. */
function constantTensors({ nodes, constants }: GraphDescription): Set<string> {
  const known = new Set(constants);
  for (const { op, inputs, outputs } of nodes) {
    const derived = inputs.length > 0 && inputs.every((name) => known.has(name));
    if (VALUES.has(op) || derived) for (const name of outputs) known.add(name);
  }
  return known;
}

/** The sum of a convolution and its bias where that is a node of its own, else the convolution. */
function withBias(tensor: string, graph: GraphDescription, known: ReadonlySet<string>): string {
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(tensor));
  const [reader] = readers;
  const [sum] = reader?.outputs ?? [];
  const isBias =
    reader !== undefined &&
    SUMS.has(reader.op) &&
    reader.inputs.every((name) => name === tensor || known.has(name));
  return readers.length === 1 && isBias && sum !== undefined ? withBias(sum, graph, known) : tensor;
}

/** The outputs of the convolutions behind which only decoding comes, in the order of the graph. */
export function lastConvolutions(graph: GraphDescription): string[] {
  const known = constantTensors(graph);
  const makers = new Map<string, GraphNode>(
    graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)),
  );
  const behind = (start: readonly string[]): Set<GraphNode> => {
    const found = new Set<GraphNode>();
    const seen = new Set<string>();
    const waiting = [...start];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const maker = makers.get(name);
      if (maker === undefined || seen.has(name) || known.has(name)) continue;
      seen.add(name);
      if (CONVOLUTIONS.has(maker.op)) found.add(maker);
      else waiting.push(...maker.inputs);
    }
    return found;
  };
  // Raw heads as outputs come one a level; a decoded output joins all levels.
  const ofFirst = behind(graph.outputs.slice(0, 1));
  const found = ofFirst.size > 1 ? ofFirst : behind(graph.outputs);
  return graph.nodes
    .filter((node) => found.has(node))
    .flatMap(({ outputs }) => outputs.slice(0, 1))
    .map((name) => withBias(name, graph, known));
}
