import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { codecOf } from '../../src/cache/codec.ts';
import type { Blob } from '../../src/cache/target.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { pythonWithMsgpack } from '../cache/python.ts';
import { codecConformance } from '../contract/codec.ts';
import { repositoryRoot } from '../reference.ts';

const found = pythonWithMsgpack();
const skip = 'skip' in found ? found.skip : false;
const python = 'python' in found ? found.python : '';

const detections = (rows: readonly (readonly number[])[], nc: number): Blob => ({
  shape: [rows.length, 5 + nc],
  data: Float32Array.from(rows.flat()),
});

const side = fc.float({ min: 0, max: 1, noNaN: true });
const logit = fc.float({ min: -60, max: 60, noNaN: true });
const arbitrary = fc.integer({ min: 0, max: 5 }).chain((nc) =>
  fc
    .array(
      fc
        .tuple(
          fc.integer({ min: 0, max: 65535 }),
          fc.array(side, { minLength: 4, maxLength: 4 }),
          fc.array(logit, { minLength: nc, maxLength: nc }),
        )
        .map(([label, box, logits]) => [label, ...box, ...logits]),
      { maxLength: 6 },
    )
    .map((rows) => detections(rows, nc)),
);

/** Classes exactly, boxes to half a 65535th, logits to half precision. */
function check({ data, shape }: Blob, decoded: Float32Array): void {
  const width = shape[1] ?? 1;
  data.forEach((value, i) => {
    const column = i % width;
    const bound = column === 0 ? 0 : column < 5 ? 0.51 / 65535 : Math.abs(value) * 2 ** -11 + 2 ** -25;
    assert.ok(Math.abs((decoded[i] ?? NaN) - value) <= bound, `column ${column}: ${value} is ${decoded[i]}`);
  });
}

codecConformance({
  spec: 'rows',
  codecs: HEAD_CODECS,
  blobs: [
    detections([], 3),
    detections([[2, 0, 1, 0.5, 0.25, -7, 0, 3.5]], 3),
    detections(
      [
        [65535, 0.1, 0.2, 0.3, 0.4, 60000],
        [0, 1, 1, 1, 1, -0.001],
      ],
      1,
    ),
  ],
  arbitrary,
  bound: { check },
});

describe('rows', () => {
  const codec = codecOf('rows', HEAD_CODECS);
  test('a detection of three classes takes 16 bytes', () => {
    const blob = detections([[1, 0.5, 0.5, 0.1, 0.1, 1, 2, 3]], 3);
    assert.equal(codec.encode(blob, 'd').byteLength, 16);
  });

  test('what is no detection is refused', () => {
    const row = [1, 0.5, 0.5, 0.1, 0.1, 1];
    for (const [at, value] of [
      [0, 1.5],
      [0, -1],
      [1, 1.2],
      [2, NaN],
      [5, Infinity],
    ] as const) {
      const blob = detections([row.with(at, value)], 1);
      assert.throws(
        () => codec.encode(blob, 'd'),
        (error) => isSoftshardError(error, 'E_CODEC'),
      );
    }
  });

  test('Python reads the same bits', { skip }, () => {
    const blob = detections(
      [
        [2, 0, 1, 0.5, 0.25, -7.01, 0, 3.5],
        [0, 0.1, 0.2, 0.3, 0.4, 1e-7, -60, 12.34],
      ],
      3,
    );
    const bytes = codec.encode(blob, 'd');
    const decode =
      'import sys; sys.path.insert(0, sys.argv[1]); import softshard_reader as r; ' +
      'print(bytes(r.decode_blob("rows", bytes.fromhex(sys.argv[2]), [2, 8], "d").data).hex())';
    const folder = join(repositoryRoot, 'readers', 'python');
    const argv = ['-c', decode, folder, Buffer.from(bytes).toString('hex')];
    const ours = codec.decode(bytes, blob.shape, 'd');
    const hex = Buffer.from(ours.buffer, ours.byteOffset, ours.byteLength).toString('hex');
    assert.equal(execFileSync(python, argv, { encoding: 'utf8' }).trim(), hex);
  });
});
