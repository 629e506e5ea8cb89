/** Finds the reference folder (tensors, data, weights) that parity tests read, or the reason to skip them. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const root = resolve(process.env['SOFTSHARD_REFERENCE'] ?? join(repositoryRoot, '..', 'shared'));

/** Absolute path inside the reference folder, e.g. `reference('ref', 'C_loss.json')`. */
export const reference = (...parts: string[]): string => join(root, ...parts);

/** `false` when the reference is there, else the reason: pass it as node:test's `skip`. */
export const skipWithoutReference: string | false = existsSync(reference('ref', 'MANIFEST.md'))
  ? false
  : `no reference data at ${root} (set SOFTSHARD_REFERENCE)`;

export const referenceJson = (...parts: string[]): unknown =>
  JSON.parse(readFileSync(reference(...parts), 'utf8'));

/** A NumPy array read from a `.npy` file: C order, little-endian. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array | BigInt64Array;
}

/** Reads a `.npy` file of dtype f4, f8, i4, i8 or u1. */
export function readNpy(bytes: Buffer): NpyArray {
  const headerLength = bytes.readUInt8(6) === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const start = bytes.readUInt8(6) === 1 ? 10 : 12;
  const header = bytes.subarray(start, start + headerLength).toString('latin1');
  const descr = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map(Number);
  if (header.includes("'fortran_order': True")) throw new Error('Fortran order is not read');
  const body = bytes.subarray(start + headerLength);
  const buffer = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
  switch (descr) {
    case '<f4':
      return { shape, data: new Float32Array(buffer) };
    case '<f8':
      return { shape, data: new Float64Array(buffer) };
    case '<i4':
      return { shape, data: new Int32Array(buffer) };
    case '<i8':
      return { shape, data: new BigInt64Array(buffer) };
    case '|u1':
      return { shape, data: new Uint8Array(buffer) };
    default:
      throw new Error(`dtype ${String(descr)} is not read`);
  }
}

export const referenceNpy = (name: string): NpyArray => readNpy(readFileSync(reference('ref', name)));

/** As `referenceNpy`, for a file known to be float32. */
export const referenceFloats = (name: string): { shape: readonly number[]; data: Float32Array } => {
  const { shape, data } = referenceNpy(name);
  if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
  return { shape, data };
};
