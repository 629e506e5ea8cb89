/** Reads darknet's `.weights`: a header, and the float32 values of one convolution after another, without names. */
import { SoftshardError } from '../errors.ts';
import type { Entry } from '../model/module.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import type { ByteSource } from './byte-source.ts';
import { scalesForEpsilon } from './norm-epsilon.ts';

/** Epsilon of darknet's batch norms at inference. */
const EPSILON = 1e-5;

/** Key of the values before a graph gives them names. */
export const DARKNET_VALUES = 'darknet';

/** Largest of the three version numbers that is taken for one: above, darknet means transposed matrices. */
const NEWEST = 100;

/** Whether a file begins as darknet's do: three small numbers, not all 0. */
export function isDarknet(head: Buffer): boolean {
  if (head.byteLength < 16) return false;
  const version = [0, 4, 8].map((at) => head.readInt32LE(at));
  return version.every((part) => part >= 0 && part < NEWEST) && version.some((part) => part > 0);
}

/**
 * All values of a file under one key. The header is 20 bytes since version 0.2 (`seen` has 64 bits), 16 before.
 * Throws E_WEIGHTS_FORMAT where the rest is no whole number of values.
 */
export async function readDarknetSource(source: ByteSource): Promise<Map<string, TensorData>> {
  const head = Buffer.from(await source.read(0, 12));
  const [major, minor] = [head.readInt32LE(0), head.readInt32LE(4)];
  const start = major * 10 + minor >= 2 ? 20 : 16;
  const bytes = source.size - start;
  if (bytes <= 0 || bytes % 4 !== 0) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A darknet weight file is cut off.',
      where: source.name,
      expected: `${start} bytes of header and a whole number of float32 values`,
      found: `${source.size} bytes`,
      remedy: 'Fetch the file again.',
    });
  }
  const data = new Float32Array(Uint8Array.from(await source.read(start, bytes)).buffer);
  return new Map([[DARKNET_VALUES, { dtype: 'float32', shape: [data.length], data }]]);
}

/** What of a graph says how the values follow each other. */
export interface DarknetGraph {
  readonly entries: readonly Entry[];
  readonly foldable: readonly (readonly [conv: string, norm: string])[];
}

/**
 * Names the values of a file by the convolutions of `graph`, in its order: with a batch norm biases, scales, means,
 * variances and filters, without one biases and filters. Filters are PyTorch's [O,I,kH,kW] already. The scales take in
 * the difference of the epsilons. Throws E_WEIGHTS_FORMAT unless the file holds exactly the graph's values.
 */
export function darknetState(values: Float32Array, graph: DarknetGraph, where: string): StateDict {
  const norms = new Map(graph.foldable);
  const shapes = new Map(graph.entries.map(({ name, shape }) => [name, shape] as const));
  const order = graph.entries.flatMap(({ name, role, shape }) => {
    if (role !== 'weight' || shape.length !== 4) return [];
    const prefix = name.slice(0, name.lastIndexOf('.'));
    const norm = norms.get(prefix);
    if (norm === undefined) return [`${prefix}.bias`, name];
    return [...['bias', 'weight', 'running_mean', 'running_var'].map((part) => `${norm}.${part}`), name];
  });
  const sizeOf = (name: string): number => (shapes.get(name) ?? []).reduce((a, b) => a * b, 1);
  const wanted = order.reduce((sum, name) => sum + sizeOf(name), 0);
  if (wanted !== values.length) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A darknet weight file has other values than the model.',
      where,
      expected: `${wanted} values for the description's convolutions`,
      found: `${values.length} values`,
      remedy:
        'Check that --cfg describes this network, and that the data set has the classes it was trained on.',
    });
  }
  const state = new Map<string, TensorData>();
  let at = 0;
  for (const name of order) {
    const size = sizeOf(name);
    state.set(name, {
      dtype: 'float32',
      shape: shapes.get(name) ?? [],
      data: values.slice(at, at + size),
    });
    at += size;
  }
  for (const norm of norms.values()) {
    const [gamma, variance] = [state.get(`${norm}.weight`), state.get(`${norm}.running_var`)];
    if (gamma !== undefined && variance !== undefined)
      state.set(`${norm}.weight`, scalesForEpsilon(gamma, variance, EPSILON));
  }
  return state;
}
