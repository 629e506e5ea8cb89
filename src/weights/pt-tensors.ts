/** Reads the tensors that a checkpoint's object graph refers to. */
import { SoftshardError } from '../errors.ts';
import type { TensorData } from '../model/tensor-data.ts';
import type { TensorRef } from './pickle-value.ts';
import type { PtContainer } from './pt-container.ts';
import { ELEMENT_BYTES, elementCount, swapBytes } from './tensor-bytes.ts';
import { checkBounds, gather } from './tensor-gather.ts';

/** Tensors may overlap in a storage, but not so much that a small file fills the memory. */
const budgetOf = (fileBytes: number): number => 16 * fileBytes + 2 ** 24;

/** Tensors with equal keys read the same bytes, in the same order. */
const storageKey = ({ storage, dtype }: TensorRef): string =>
  [storage.key, storage.dtype, storage.view?.offset, storage.view?.count, ELEMENT_BYTES[dtype]].join('/');

async function readElements(tensor: TensorRef, container: PtContainer): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await container.readStorage(tensor.storage);
  if (container.littleEndian) return bytes;
  const size = ELEMENT_BYTES[tensor.dtype];
  const whole = bytes.subarray(0, bytes.byteLength - (bytes.byteLength % size));
  swapBytes(whole, size);
  return whole;
}

/**
 * Reads tensors by name, in C order. A tensor under two names is one object. Throws E_WEIGHTS_FORMAT when one
 * reaches beyond its storage, or when together they are far larger than the file of `fileBytes` bytes.
 */
export async function readTensors(
  tensors: ReadonlyMap<string, TensorRef>,
  container: PtContainer,
  where: string,
  fileBytes: number,
): Promise<Map<string, TensorData>> {
  const distinct = new Set(tensors.values());
  const uses = new Map<string, number>();
  for (const tensor of distinct) {
    const key = storageKey(tensor);
    uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  const shared = new Map<string, Uint8Array<ArrayBuffer>>();
  const done = new Map<TensorRef, TensorData>();
  const state = new Map<string, TensorData>();
  let left = budgetOf(fileBytes);
  for (const [name, tensor] of tensors) {
    let data = done.get(tensor);
    if (data === undefined) {
      const key = storageKey(tensor);
      const bytes = shared.get(key) ?? (await readElements(tensor, container));
      if ((uses.get(key) ?? 0) > 1) shared.set(key, bytes);
      const size = ELEMENT_BYTES[tensor.dtype];
      checkBounds(tensor, Math.floor(bytes.byteLength / size), `${where}, ${name}`);
      left -= elementCount(tensor.size) * size;
      if (left < 0) {
        throw new SoftshardError('E_WEIGHTS_FORMAT', {
          message: 'The tensors of a checkpoint are far larger than the file.',
          where: `${where}, ${name}`,
        });
      }
      data = { dtype: tensor.dtype, shape: tensor.size, data: gather(tensor, bytes) };
      done.set(tensor, data);
    }
    state.set(name, data);
  }
  return state;
}
