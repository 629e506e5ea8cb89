/** Stores a checkpoint with half the bytes. */
import type { TensorData } from '../model/tensor-data.ts';
import { encodeFloat16 } from '../weights/float16.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';

/**
 * Copies a safetensors file with every float32 tensor rounded to float16 (half to even); metadata and other tensors
 * stay. Throws E_FILE, E_WEIGHTS_FORMAT, E_DISK_FULL.
 */
export async function storeHalfWeights(from: string, to: string): Promise<void> {
  const { state, metadata } = await readSafetensors(from);
  const halved = [...state].map(([name, tensor]): [string, TensorData] => {
    if (!(tensor.data instanceof Float32Array)) return [name, tensor];
    const data = new Uint16Array(tensor.data.length);
    encodeFloat16(tensor.data, data);
    return [name, { dtype: 'float16', shape: tensor.shape, data }];
  });
  await writeSafetensors(to, new Map(halved), metadata);
}
