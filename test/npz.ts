/** Reads a NumPy `.npz` archive: stored or deflated `.npy` files in a zip. */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { readNpy, type NpyArray } from './reference.ts';

export function readNpz(path: string): Map<string, NpyArray> {
  const bytes = readFileSync(path);
  const result = new Map<string, NpyArray>();
  let end = bytes.length - 22;
  while (bytes.readUInt32LE(end) !== 0x06054b50) end--;
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const method = bytes.readUInt16LE(at + 10);
    const size = bytes.readUInt32LE(at + 20);
    const nameLength = bytes.readUInt16LE(at + 28);
    const header = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const body = bytes.subarray(start, start + size);
    result.set(name.replace(/\.npy$/, ''), readNpy(method === 0 ? body : inflateRawSync(body)));
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return result;
}
