/** Where the running statistics of every batch norm lie in one flat vector: mean then variance, norm by norm. */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelGraph } from '../model/graph.ts';
import type { BatchStatistics } from '../model/trainable.ts';

export interface NormSlot {
  /** Prefix of the batch norm's entries. */
  readonly prefix: string;
  readonly channels: number;
  /** Of the mean; the variance follows it. */
  readonly offset: number;
}

export interface StatisticsLayout {
  readonly norms: readonly NormSlot[];
  readonly size: number;
}

export function layoutStatistics(graph: ModelGraph): StatisticsLayout {
  const norms: NormSlot[] = [];
  let offset = 0;
  for (const { name, shape, role } of graph.entries) {
    if (role !== 'runningMean') continue;
    const channels = shape[0] ?? 0;
    norms.push({ prefix: name.slice(0, -'.running_mean'.length), channels, offset });
    offset += 2 * channels;
  }
  return { norms, size: offset };
}

/** The batch statistics of one forward pass as one vector in the layout's order. Runs in a tidy. */
export function flattenStatistics(
  layout: StatisticsLayout,
  statistics: ReadonlyMap<string, BatchStatistics>,
): tf.Tensor1D {
  return tf.concat1d(
    layout.norms.flatMap(({ prefix }) => {
      const found = statistics.get(prefix);
      if (found === undefined) throw new Error(`no batch statistics of ${prefix}`);
      return [found.mean, found.variance];
    }),
  );
}
