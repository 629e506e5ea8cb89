/** The state dict that a training from scratch begins with: PyTorch's default initialisation, keyed. */
import { drawKey, drawWords } from '../random/keyed.ts';
import type { ModelGraph } from './graph.ts';
import type { Entry } from './module.ts';
import type { TensorData } from './tensor-data.ts';

const WORD = 2 ** 32;

/** Uniform in ±bound, one 32-bit word of the keyed stream a value. */
export function uniformValues(
  seed: number,
  purpose: string,
  index: number,
  size: number,
  bound: number,
): Float32Array {
  const key = drawKey(seed, purpose, index);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i += 4) {
    const words = drawWords(key, i / 4);
    for (let j = 0; j < 4 && i + j < size; j++) values[i + j] = ((2 * (words[j] ?? 0)) / WORD - 1) * bound;
  }
  return values;
}

function initialValues(entry: Entry, index: number, seed: number): Float32Array {
  const size = entry.shape.reduce((a, b) => a * b, 1);
  const { initial, offset } = entry;
  const values =
    'value' in initial
      ? new Float32Array(size).fill(initial.value)
      : uniformValues(seed, 'initial-weights', index, size, initial.bound);
  return offset === undefined ? values : values.map((value, i) => value + offset(i));
}

/** Initial values of every entry, in PyTorch's layout; anchors and batch counters included. */
export function initialState(graph: ModelGraph, seed: number): Map<string, TensorData> {
  return new Map(
    graph.entries.map((entry, index): [string, TensorData] => {
      const { name, shape, role } = entry;
      if (role === 'batches') return [name, { dtype: 'int64', shape, data: BigInt64Array.of(0n) }];
      if (role === 'anchors') {
        const data = graph.head.anchors.flatMap((level, l) =>
          level.flatMap(([w, h]) => [w, h].map((side) => side / (graph.head.strides[l] ?? 1))),
        );
        return [name, { dtype: 'float32', shape, data: Float32Array.from(data) }];
      }
      return [name, { dtype: 'float32', shape, data: initialValues(entry, index, seed) }];
    }),
  );
}
