/** Turns strided windows of a storage into tensors in C order. */
import { SoftshardError } from '../errors.ts';
import type { NumericArray } from '../model/tensor-data.ts';
import type { TensorRef } from './pickle-value.ts';
import { ELEMENT_BYTES, elementCount, typedArray } from './tensor-bytes.ts';

/** Whether the strides are those of C order; axes of size 1 may have any. */
function isContiguous({ size, stride }: TensorRef): boolean {
  let expected = 1;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    const length = size[axis] ?? 0;
    if (length !== 1 && stride[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** Throws E_WEIGHTS_FORMAT unless every element lies inside a storage of `count` elements. */
export function checkBounds(tensor: TensorRef, count: number, where: string): void {
  const elements = elementCount(tensor.size);
  const last = tensor.size.reduce(
    (sum, n, axis) => sum + (n - 1) * (tensor.stride[axis] ?? 0),
    tensor.offset,
  );
  const inside = Number.isSafeInteger(last) && last < count;
  if (Number.isSafeInteger(elements) && (elements === 0 || inside)) return;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'A tensor reaches beyond its storage.',
    where,
    expected: `at most ${count} elements`,
    found: `size [${tensor.size.join(', ')}], stride [${tensor.stride.join(', ')}], offset ${tensor.offset}`,
  });
}

/**
 * Copies the elements of `tensor` out of the bytes of its storage, in C order. The bounds must have been checked.
 */
export function gather(tensor: TensorRef, storage: Uint8Array<ArrayBuffer>): NumericArray {
  const { size, stride, offset, dtype } = tensor;
  const bytes = ELEMENT_BYTES[dtype];
  const count = elementCount(size);
  if (isContiguous(tensor)) {
    return typedArray(dtype, storage.slice(offset * bytes, (offset + count) * bytes));
  }
  const out = new Uint8Array(count * bytes);
  const index = new Array<number>(size.length).fill(0);
  let position = offset;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < bytes; b++) out[i * bytes + b] = storage[position * bytes + b] ?? 0;
    for (let axis = size.length - 1; axis >= 0; axis--) {
      const step = stride[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      position += step;
      index[axis] = next;
      if (next < (size[axis] ?? 0)) break;
      index[axis] = 0;
      position -= step * next;
    }
  }
  return typedArray(dtype, out);
}
