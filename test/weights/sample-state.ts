/** State dicts for the tests of readers and writers. */
import fc from 'fast-check';
import type { DType, TensorData } from '../../src/model/tensor-data.ts';
import { ELEMENT_BYTES, elementCount, typedArray } from '../../src/weights/tensor-bytes.ts';

/** One small tensor of every dtype, of several ranks. */
export const sampleState = (): Map<string, TensorData> =>
  new Map<string, TensorData>([
    [
      'model.0.conv.weight',
      { dtype: 'float32', shape: [2, 1, 1, 2], data: Float32Array.of(1.5, -2, 0, 3e38) },
    ],
    ['uint8', { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 127, 255) }],
    [
      'model.0.bn.num_batches_tracked',
      { dtype: 'int64', shape: [], data: BigInt64Array.of(9_007_199_254_740_993n) },
    ],
    ['float64', { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, -0) }],
    ['float16', { dtype: 'float16', shape: [3, 1], data: Uint16Array.of(0x3c00, 0xc000, 0) }],
    ['bfloat16', { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) }],
    ['int32', { dtype: 'int32', shape: [2], data: Int32Array.of(-(2 ** 31), 7) }],
    ['int16', { dtype: 'int16', shape: [1], data: Int16Array.of(-300) }],
    ['int8', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
    ['bool', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }],
    ['empty', { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) }],
    ['ключ "quoted" \\ 0', { dtype: 'float32', shape: [1], data: Float32Array.of(7) }],
  ]);

const DTYPES = Object.keys(ELEMENT_BYTES) as DType[];

const arbitraryTensor: fc.Arbitrary<TensorData> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), fc.nat(255))
  .map(([dtype, shape, fill]) => {
    const bytes = new Uint8Array(elementCount(shape) * ELEMENT_BYTES[dtype]);
    bytes.forEach((_, i) => (bytes[i] = dtype === 'bool' ? (fill + i) & 1 : (fill + i * 37) & 0x7b));
    return { dtype, shape, data: typedArray(dtype, bytes) };
  });

/** Up to eight tensors under any names. */
export const arbitraryState: fc.Arbitrary<ReadonlyMap<string, TensorData>> = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), arbitraryTensor), {
    selector: ([key]) => key,
    minLength: 1,
    maxLength: 8,
  })
  .map((entries) => new Map(entries));
