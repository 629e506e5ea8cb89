/** Reads and writes safetensors files. */
import { SoftshardError } from '../errors.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { bytesSource, withFileSource, type ByteSource } from './byte-source.ts';
import {
  MAX_HEADER_BYTES,
  dataOrder,
  formatHeader,
  parseHeader,
  type Metadata,
} from './safetensors-header.ts';
import { tensorBytes, typedArray } from './tensor-bytes.ts';

export type { Metadata } from './safetensors-header.ts';

export interface Safetensors {
  /** In the order of the header. */
  readonly state: Map<string, TensorData>;
  /** Empty when the file has none. */
  readonly metadata: Metadata;
}

/** Reads `path`. Throws E_FILE or E_WEIGHTS_FORMAT. */
export const readSafetensors = (path: string): Promise<Safetensors> =>
  withFileSource(path, readSafetensorsSource);

/** Reads a file held in memory; `name` is what errors call it. Throws E_WEIGHTS_FORMAT. */
export const parseSafetensors = (bytes: Uint8Array, name = 'safetensors'): Promise<Safetensors> =>
  readSafetensorsSource(bytesSource(bytes, name));

/** Reads a file from a source. Throws E_WEIGHTS_FORMAT. */
export async function readSafetensorsSource(source: ByteSource): Promise<Safetensors> {
  const prefix = Buffer.from(await source.read(0, 8));
  const length = Number(prefix.readBigUInt64LE());
  if (length > Math.min(MAX_HEADER_BYTES, source.size - 8)) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A safetensors file is truncated, or is none.',
      where: source.name,
      expected: `a header of at most ${Math.min(MAX_HEADER_BYTES, source.size - 8)} bytes`,
      found: `${length} bytes`,
    });
  }
  const bytes = await source.read(8, length);
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The header of a safetensors file is no UTF-8 text.',
      where: source.name,
      cause,
    });
  }
  const dataStart = 8 + length;
  const { metadata, tensors } = parseHeader(json, source.size - dataStart, source.name);
  const state = new Map<string, TensorData>();
  for (const { name, dtype, shape, start, end } of tensors) {
    const data = typedArray(dtype, await source.read(dataStart + start, end - start));
    state.set(name, { dtype, shape, data });
  }
  return { state, metadata };
}

/**
 * The pieces of a safetensors file, in order. The header keeps the order of `state` and `metadata`; the data lie
 * widest dtype first, so that each tensor is aligned. The bytes are a function of the arguments alone.
 */
export const encodeSafetensors = (state: StateDict, metadata: Metadata = {}): Uint8Array[] => [
  formatHeader(state, metadata),
  ...dataOrder(state).flatMap((name) => {
    const tensor = state.get(name);
    return tensor === undefined ? [] : [tensorBytes(tensor)];
  }),
];

/** Writes `path` atomically: temporary file, fsync, rename, fsync of the folder. Throws E_FILE, E_DISK_FULL. */
export const writeSafetensors = (path: string, state: StateDict, metadata: Metadata = {}): Promise<void> =>
  writeFileAtomic(path, encodeSafetensors(state, metadata));
