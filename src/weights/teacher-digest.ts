/** The identity of a teacher: what it computes with, however its file was written. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../text/canonical-json.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { toFloat32Array } from './tensor-bytes.ts';

/**
 * sha256, hex, over the tensors by sorted key (shape, and values cast to float32, little-endian) and the
 * canonical JSON of `graph`. Equal for float16 and float32 files of the same values, in any order and format.
 * Throws E_CODEC when the graph is not plain JSON data.
 */
export function teacherDigest(state: StateDict, graph: unknown): string {
  const hash = createHash('sha256').update('softshard-teacher 1\n');
  for (const key of [...state.keys()].sort()) {
    const tensor = state.get(key);
    if (tensor === undefined) continue;
    const data = toFloat32Array(tensor);
    hash.update(`${JSON.stringify([key, tensor.shape])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.update(`${JSON.stringify(canonicalJson(graph))}\n`).digest('hex');
}
