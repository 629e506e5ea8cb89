import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codecOf, codecSpec, type CodecFactory } from '../../src/cache/codec.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { codecConformance } from '../contract/codec.ts';

const floats = (values: readonly number[], shape: readonly number[] = [values.length]) => ({
  shape,
  data: Float32Array.from(values),
});

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.1,
  1e-8,
  6e-8,
  6.1e-5,
  2049,
  2051,
  65504,
  65519.99,
  Infinity,
  -Infinity,
  NaN,
];
const SHAPED = [floats([]), floats([3.5], []), floats([1, 2, 3, 4, 5, 6], [1, 3, 2]), floats([], [4, 0])];

const float32 = (max: number): fc.Arbitrary<{ shape: number[]; data: Float32Array }> =>
  fc.float32Array({ max, min: -max, maxLength: 40 }).map((data) => ({ shape: [data.length], data }));

codecConformance({
  spec: 'fp32',
  blobs: [floats([...SPECIAL, 3.4e38, 1e-45]), ...SHAPED],
  arbitrary: fc.float32Array({ maxLength: 40 }).map((data) => ({ shape: [data.length], data })),
  bound: () => 0,
});

codecConformance({
  spec: 'fp16',
  blobs: [floats(SPECIAL), ...SHAPED],
  arbitrary: float32(65504),
  // Half of the spacing: 2^-11 relative for normal numbers, 2^-25 below them.
  bound: (value) => Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
});

codecConformance({
  spec: 'raw',
  blobs: [
    { dtype: 'uint8', shape: [2, 3], data: Uint8Array.of(0, 1, 127, 128, 254, 255) },
    { dtype: 'uint8', shape: [0], data: new Uint8Array() },
  ],
  arbitrary: fc
    .uint8Array({ maxLength: 40 })
    .map((data) => ({ dtype: 'uint8' as const, shape: [data.length], data })),
  bound: () => 0,
});

codecConformance({
  spec: 'int8',
  blobs: [
    floats([0, -0, 1, -3.5, 1e-45, 3.4e38, -3.4e38, 7], [2, 4]),
    floats([100, 100.00001, 100, 100.00001, 100.00002, 100], [6, 1]),
    ...SHAPED,
  ],
  arbitrary: fc
    .tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 }),
    )
    .map(([channels, values]) =>
      floats(Array.from({ length: channels }, (_, c) => values.map((v) => v + c)).flat(), [
        values.length,
        channels,
      ]),
    ),
  bound: {
    check: ({ data, shape }, decoded) => {
      const channels = shape.at(-1) ?? 1;
      for (let c = 0; c < channels; c++) {
        const of = (values: ArrayLike<number>): number[] =>
          Array.from(values).filter((_, i) => i % channels === c);
        const [least, largest] = [Math.min(...of(data)), Math.max(...of(data))];
        const others = of(decoded);
        of(data).forEach((value, i) => {
          const error = Math.abs((others[i] ?? NaN) - value);
          const spacing = Math.max(Math.abs(least), Math.abs(largest)) * 2 ** -23;
          assert.ok(error <= (largest - least) / 510 + spacing, `${value} came back as ${others[i]}`);
        });
      }
    },
  },
});

test('int8 refuses what is not finite', () => {
  for (const value of [NaN, Infinity]) {
    assert.throws(
      () => codecOf('int8').encode(floats([1, value]), 'feature.4'),
      (error) => isSoftshardError(error, 'E_CODEC') && error.message.includes('at index 1'),
    );
  }
});

test('fp32 keeps every bit, also of NaN', () => {
  const bits = Uint32Array.of(0x7fc00001, 0xffc12345, 0x7f800001, 0x80000000, 1);
  const blob = { shape: [5], data: new Float32Array(bits.buffer) };
  const codec = codecOf('fp32');
  const decoded = codec.decode(codec.encode(blob, 'x').slice(), [5], 'x');
  assert.deepEqual(new Uint32Array(decoded.buffer), bits);
});

test('fp16 rounds half to even', () => {
  const codec = codecOf('fp16');
  const values = [2049, 2051, 2053, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25];
  const expected = [2048, 2052, 2052, 1, 1 + 2 ** -9, 0, 2 ** -23];
  const blob = floats(values);
  assert.deepEqual([...codec.decode(codec.encode(blob, 'x'), blob.shape, 'x')], expected);
});

test('fp16 names blob and value when one is too large', () => {
  for (const value of [65520, -1e5, 3.4e38]) {
    assert.throws(
      () => codecOf('fp16').encode(floats([1, NaN, Infinity, value]), 'head.1 of sample 3, view 0'),
      (error) =>
        isSoftshardError(error, 'E_CODEC') &&
        error.message.includes('head.1 of sample 3') &&
        error.message.includes('at index 3'),
    );
  }
});

test('codecs are found by name and parameters', () => {
  const scaled: CodecFactory = (params) => ({ ...codecOf('fp32'), name: 'scaled', params });
  const codecs = { scaled };
  assert.equal(codecSpec(codecOf('scaled:b=2,a=0.1', codecs)), 'scaled:a=0.1,b=2');
  assert.equal(codecSpec(codecOf('scaled', codecs)), 'scaled');
  const bad = [
    'fp64',
    '',
    'toString',
    '__proto__',
    'fp16:',
    'fp16:x=1',
    'fp16:x',
    'raw:=1',
    'fp16:x=1,x=2',
    'FP16',
    'fp16 ',
    'fp16:a=b c',
  ];
  for (const spec of bad) {
    assert.throws(
      () => codecOf(spec),
      (error) => isSoftshardError(error, 'E_CODEC'),
      spec,
    );
  }
  assert.throws(() => codecOf('fp64'), /fp16, fp32, int8, raw/);
});
