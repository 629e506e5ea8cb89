import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { codecOf, codecSpec } from '../../src/cache/codec.ts';
import type { Blob } from '../../src/cache/target.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { codecConformance } from '../contract/codec.ts';
import { syntheticHead } from './synthetic-head.ts';

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Root mean square error of some columns, weighted by the squared sigmoid of the objectness. */
function weightedError(blob: Blob, decoded: Float32Array, from: number, to: number): number {
  const no = blob.shape[3] ?? 5;
  let sum = 0;
  let energy = 0;
  for (let at = 0; at < blob.data.length; at += no) {
    const weight = sigmoid(blob.data[at + 4] ?? 0) ** 2;
    energy += weight * (to - from);
    for (let c = from; c < to; c++) sum += weight * ((decoded[at + c] ?? 0) - (blob.data[at + c] ?? 0)) ** 2;
  }
  return energy === 0 ? 0 : Math.sqrt(sum / energy);
}

const dimension = (max: number) => fc.integer({ min: 0, max });

/** Heads of any values at all: a codec must not rely on what detectors are like. */
const anyHead = (magnitude: number): fc.Arbitrary<Blob> =>
  fc
    .tuple(
      dimension(4),
      dimension(4),
      fc.integer({ min: 1, max: 3 }),
      dimension(20),
      fc.integer({ min: 0, max: 1e6 }),
    )
    .map(([ny, nx, na, nc, seed]) => {
      const { shape, data } = syntheticHead([ny, nx, na, nc], 2, seed);
      return { shape, data: data.map((value, i) => value * (i % 7 === 0 ? magnitude : 1)) };
    });

const EMPTY: Blob = { shape: [0, 4, 3, 8], data: new Float32Array() };
const EXTREME: Blob = {
  shape: [1, 2, 1, 7],
  data: Float32Array.of(0, -0, 1e-30, -4095, 4095, 4095, -4095, 1, 2, 3, 4, -4095, 0.1, 5),
};

for (const spec of [
  'sparse',
  'sparse:k=5,objectness=0.1,classes=adaptive',
  'sparse:classes=2,boxes=1,peaks=0,floor=0.5',
]) {
  codecConformance({
    spec,
    codecs: HEAD_CODECS,
    blobs: [
      syntheticHead([8, 6, 3, 20], 2),
      syntheticHead([5, 5, 2, 1], 1),
      syntheticHead([3, 4, 3, 0], 1),
      EMPTY,
      EXTREME,
    ],
    arbitrary: fc.oneof(anyHead(1), anyHead(-20)),
    bound: { check: (_, decoded) => assert.ok(decoded.every((value) => Number.isFinite(value))) },
    shapes: fc
      .tuple(dimension(3), dimension(3), dimension(3), fc.integer({ min: 5, max: 9 }))
      .map((dims) => [...dims]),
  });
}

describe('the error of sparse is what its parameters say', () => {
  for (const seed of [1, 2, 3]) {
    test(`for synthetic objects ${seed}`, () => {
      const head = syntheticHead([40, 40, 3, 20], 12, seed);
      const codec = codecOf('sparse:objectness=0.01,floor=0.0005,classes=0.05,boxes=0.03', HEAD_CODECS);
      const bytes = codec.encode(head, 'head');
      const decoded = codec.decode(bytes, head.shape, 'head') as Float32Array;
      assert.ok(bytes.byteLength < head.data.length / 8, `${bytes.byteLength} bytes`);
      const errors = [
        weightedError(head, decoded, 0, 4),
        weightedError(head, decoded, 4, 5),
        weightedError(head, decoded, 5, 25),
      ] as const;
      assert.ok(errors[0] < 0.03 && errors[1] < 0.01 && errors[2] < 0.05, errors.join(', '));
    });
  }
});

test('what sparse leaves out keeps its weighted mean', () => {
  const head = syntheticHead([40, 40, 3, 10], 6);
  const codec = codecOf('sparse:k=0', HEAD_CODECS);
  const decoded = codec.decode(codec.encode(head, 'head'), head.shape, 'head') as Float32Array;
  const no = 15;
  for (let c = 0; c < no; c++) {
    let [sum, total] = [0, 0];
    for (let at = 0; at < head.data.length; at += no) {
      // The decoder's weight: objectness is stored for all rows.
      const weight = c === 4 ? 1 : sigmoid(decoded[at + 4] ?? 0);
      const value = (data: ArrayLike<number>): number =>
        c === 4 ? sigmoid(data[at + c] ?? 0) : (data[at + c] ?? 0);
      sum += weight * (value(decoded) - value(head.data));
      total += c === 4 ? value(head.data) : weight;
    }
    assert.ok(Math.abs(sum / total) < (c === 4 ? 0.01 : 0.07), `column ${c}: ${sum / total}`);
  }
});

test('more rows cost more bytes and lose less', () => {
  const head = syntheticHead([40, 40, 3, 20], 12);
  const results = [0, 20, 100, 1000].map((k) => {
    const codec = codecOf(`sparse:k=${k}`, HEAD_CODECS);
    const bytes = codec.encode(head, 'head');
    const decoded = codec.decode(bytes, head.shape, 'head') as Float32Array;
    return { bytes: bytes.byteLength, error: weightedError(head, decoded, 5, 25) };
  });
  results.slice(1).forEach(({ bytes, error }, i) => {
    assert.ok(bytes > (results[i]?.bytes ?? 0) && error < (results[i]?.error ?? 0));
  });
});

test('the parameters are named, checked, and all in the canonical spec', () => {
  assert.equal(
    codecSpec(codecOf('sparse:k=1000,classes=adaptive', HEAD_CODECS)),
    'sparse:boxes=0.03,classes=0.05,coarsest=1,floor=0.004,k=1000,objectness=0.007,overlaps=64,peaks=12',
  );
  for (const bad of [
    'sparse:k=-1',
    'sparse:k=1.5',
    'sparse:rows=3',
    'sparse:classes=0',
    'sparse:floor=2',
    'sparse:boxes=x',
  ]) {
    assert.throws(
      () => codecOf(bad, HEAD_CODECS),
      (error) => isSoftshardError(error, 'E_CODEC'),
      bad,
    );
  }
});

test('sparse refuses what is no head, and logits that it cannot hold', () => {
  const codec = codecOf('sparse', HEAD_CODECS);
  const refused: Blob[] = [
    { shape: [4, 4, 8], data: new Float32Array(128) },
    { shape: [1, 1, 1, 4], data: new Float32Array(4) },
    { shape: [1, 1, 1, 6], data: Float32Array.of(0, 0, 0, 0, NaN, 0) },
    { shape: [1, 1, 1, 6], data: Float32Array.of(0, 0, 0, 0, 0, 4096) },
  ];
  for (const blob of refused) {
    assert.throws(
      () => codec.encode(blob, 'head.0'),
      (error) => isSoftshardError(error, 'E_CODEC') && error.message.includes('head.0'),
    );
  }
});
