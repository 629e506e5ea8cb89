/** Where each trainable value lies in one flat vector, grouped by how the optimizer treats it. */
import type * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { ModelGraph } from '../model/graph.ts';
import { engineShape } from '../model/layout.ts';

/**
 * Biases and betas; decayed filters; gammas of batch norms; filters (decayed) and biases of the hints' adapters,
 * which are dropped at export; what is frozen, which no gradient reaches.
 */
export const PARAMETER_GROUPS = ['bias', 'weight', 'norm', 'adapterWeight', 'adapterBias', 'frozen'] as const;
export type ParameterGroup = (typeof PARAMETER_GROUPS)[number];

export interface Slot {
  readonly key: string;
  /** The engine's layout: filters HWIO. */
  readonly shape: readonly number[];
  readonly size: number;
  readonly offset: number;
}

export interface GroupRange {
  readonly group: ParameterGroup;
  readonly offset: number;
  readonly size: number;
}

/** Groups are contiguous and in the order of PARAMETER_GROUPS; inside a group, state-dict order. */
export interface ParameterLayout {
  readonly slots: readonly Slot[];
  readonly ranges: readonly GroupRange[];
  readonly size: number;
}

/** A trainable value beside the model's own: an adapter's filter or bias. */
export interface ExtraParameter {
  readonly key: string;
  readonly group: 'adapterWeight' | 'adapterBias';
  readonly shape: readonly number[];
}

const GROUP_OF = { bias: 'bias', weight: 'weight', gamma: 'norm' } as const;

/** The layer that a state-dict key belongs to: `model.3.conv.weight` is of layer 3. */
const layerOf = (key: string): number => Number(/^model\.(\d+)\./.exec(key)?.[1] ?? -1);

/** Lays out the trainable entries of a graph, then the extra ones, then the entries of the `frozen` layers. */
export function layoutParameters(
  graph: ModelGraph,
  extra: readonly ExtraParameter[] = [],
  frozen: ReadonlySet<number> = new Set(),
): ParameterLayout {
  const all = [
    ...graph.entries.flatMap(({ name, shape, role }) => {
      if (role !== 'bias' && role !== 'weight' && role !== 'gamma') return [];
      const group = frozen.has(layerOf(name)) ? ('frozen' as const) : GROUP_OF[role];
      return [{ key: name, shape: engineShape(shape), group }];
    }),
    ...extra,
  ];
  const slots: Slot[] = [];
  const ranges: GroupRange[] = [];
  let offset = 0;
  for (const group of PARAMETER_GROUPS) {
    const start = offset;
    for (const { key, shape } of all.filter((entry) => entry.group === group)) {
      const size = shape.reduce((a, b) => a * b, 1);
      slots.push({ key, shape, size, offset });
      offset += size;
    }
    ranges.push({ group, offset: start, size: offset - start });
  }
  return { slots, ranges, size: offset };
}

/** Values that a gradient reaches: all but the frozen ones, which are the last. */
export const trainedSize = ({ ranges, size }: ParameterLayout): number =>
  size - (ranges.find(({ group }) => group === 'frozen')?.size ?? 0);

/** The part of a layout that is trained, or the frozen one, whose offsets then begin at 0. */
export function partOf(layout: ParameterLayout, part: 'trained' | 'frozen'): ParameterLayout {
  const cut = trainedSize(layout);
  const isFrozen = part === 'frozen';
  const from = isFrozen ? cut : 0;
  return {
    slots: layout.slots
      .filter(({ offset }) => offset >= cut === isFrozen)
      .map((slot) => ({ ...slot, offset: slot.offset - from })),
    ranges: layout.ranges
      .filter(({ group }) => (group === 'frozen') === isFrozen)
      .map((range) => ({ ...range, offset: range.offset - from })),
    size: isFrozen ? layout.size - cut : cut,
  };
}

/** Cuts a flat vector into its tensors by key. Differentiable: the gradient arrives flat. The caller disposes. */
export function unpack(
  layout: ParameterLayout,
  flat: tf.Tensor1D,
  ops: Pick<EngineOps, 'unpack'>,
): Map<string, tf.Tensor> {
  const parts = ops.unpack(
    flat,
    layout.slots.map((slot) => slot.shape),
  );
  return new Map(
    layout.slots.map((slot, i) => {
      const part = parts[i];
      if (part === undefined) throw new Error(`no part for ${slot.key}`);
      return [slot.key, part];
    }),
  );
}
