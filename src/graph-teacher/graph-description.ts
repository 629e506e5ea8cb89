/** What is known of a foreign model's graph without running it: which operation reads and makes which tensors. */

export interface GraphNode {
  readonly op: string;
  /** Names of the tensors read. */
  readonly inputs: readonly string[];
  /** Names of the tensors made. */
  readonly outputs: readonly string[];
}

export interface GraphDescription {
  /** In an order of execution. */
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly string[];
  /** Names of the values that the file holds. */
  readonly constants: ReadonlySet<string>;
}

/** Names of all tensors that nodes make, in their order. */
export const tensorNames = ({ nodes }: GraphDescription): string[] => nodes.flatMap((node) => node.outputs);
