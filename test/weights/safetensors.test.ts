import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SoftshardError, isSoftshardError } from '../../src/errors.ts';
import type { StateDict } from '../../src/model/tensor-data.ts';
import { ELEMENT_BYTES } from '../../src/weights/tensor-bytes.ts';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  writeSafetensors,
  type Metadata,
} from '../../src/weights/safetensors.ts';
import { arbitraryState, sampleState } from './sample-state.ts';

const encode = (state: StateDict, metadata?: Metadata): Buffer =>
  Buffer.concat(encodeSafetensors(state, metadata));

/** A file of any header and data. */
const file = (header: string, data: Uint8Array = new Uint8Array(0), length?: bigint): Buffer => {
  const json = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(json.byteLength));
  return Buffer.concat([prefix, json, data]);
};

const f32 = (start: number, end: number, shape: readonly number[] = [(end - start) / 4]): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

const refused = (bytes: Uint8Array, pattern: RegExp): Promise<void> =>
  assert.rejects(parseSafetensors(bytes, 'test.safetensors'), (error) => {
    assert.ok(isSoftshardError(error, 'E_WEIGHTS_FORMAT'), String(error));
    assert.match(error.message, pattern);
    return true;
  });

describe('safetensors', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('every dtype, order and metadata read back, from memory and from a file', async () => {
    const metadata = { format: 'pt', 'ключ "x"': 'two\nlines', 1: 'number-like', __proto: '' };
    const bytes = encode(sampleState(), metadata);
    const read = await parseSafetensors(bytes);
    assert.deepEqual([...read.state], [...sampleState()]);
    assert.deepEqual(read.metadata, metadata);
    const path = join(folder, 'all.safetensors');
    await writeSafetensors(path, sampleState(), metadata);
    assert.deepEqual(await readFile(path), bytes);
    assert.deepEqual(await readSafetensors(path), read);
    assert.deepEqual(await readdir(folder), ['all.safetensors']);
  });

  test('any state dict reads back, number-like and special names included', async () => {
    const named: StateDict = new Map(
      ['b', '10', '2', '__proto__', 'a"b\\'].map((name, i) => [
        name,
        { dtype: 'float32', shape: [1], data: Float32Array.of(i) },
      ]),
    );
    assert.deepEqual([...(await parseSafetensors(encode(named))).state], [...named]);
    await fc.assert(
      fc.asyncProperty(arbitraryState, async (state) => {
        assert.deepEqual([...(await parseSafetensors(encode(state))).state], [...state]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test('tensors are aligned to their elements and the header to 8 bytes', () => {
    const bytes = encode(sampleState());
    const length = Number(bytes.readBigUInt64LE());
    assert.equal(length % 8, 0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    for (const [name, { dtype }] of sampleState()) {
      assert.equal((header[name]?.data_offsets[0] ?? 1) % ELEMENT_BYTES[dtype], 0, name);
    }
  });

  test('the bytes are a function of the arguments', () => {
    const digest = createHash('sha256')
      .update(encode(sampleState(), { a: 'b' }))
      .digest('hex');
    assert.equal(digest, 'a75cd64ff674ada7a0b8992f350db6b9820d9867da8a3e8ca55c94a289d06dea');
  });

  test('reads a file made by hand', async () => {
    const header = ` {"b":{"dtype":"I32","shape":[],"data_offsets":[4,8]},"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
    const data = Buffer.alloc(8);
    data.writeFloatLE(2.5);
    data.writeInt32LE(-9, 4);
    const { state, metadata } = await parseSafetensors(file(header, data));
    assert.deepEqual([...state.keys()], ['b', 'a']);
    assert.deepEqual(state.get('b'), { dtype: 'int32', shape: [], data: Int32Array.of(-9) });
    assert.deepEqual(state.get('a')?.data, Float32Array.of(2.5));
    assert.deepEqual(metadata, { k: 'v' });
  });

  const data = new Uint8Array(8);
  const bad: [string, Buffer, RegExp][] = [
    ['an empty file', Buffer.alloc(0), /truncated/],
    ['a short file', Buffer.alloc(5), /truncated/],
    ['a header longer than the file', file('{}', data, 1000n), /truncated/],
    ['a header of 2^63 bytes', file('{}', data, 2n ** 63n), /truncated/],
    ['no JSON', file('{"a":', data), /no JSON/],
    ['an array', file('[]', data), /no JSON object/],
    [
      'bytes that are no UTF-8',
      Buffer.concat([file('', data, 2n).subarray(0, 8), Buffer.of(0xff, 0xfe)]),
      /UTF-8/,
    ],
    ['JSON nested very deeply', file('['.repeat(1_000_000)), /no JSON/],
    ['an overlap', file(JSON.stringify({ a: f32(0, 8), b: f32(4, 8) }), data), /overlap/],
    ['a gap', file(JSON.stringify({ a: f32(4, 8) }), data), /gap/],
    ['bytes left over', file(JSON.stringify({ a: f32(0, 4) }), data), /the tensors at 4/],
    ['an offset beyond the end', file(JSON.stringify({ a: f32(0, 12) }), data), /outside/],
    ['a negative offset', file(JSON.stringify({ a: f32(-4, 4) }), data), /outside/],
    ['offsets reversed', file(JSON.stringify({ a: f32(8, 0, [0]) }), data), /outside/],
    ['a fractional offset', file(JSON.stringify({ a: f32(0.5, 8, [2]) }), data), /outside/],
    ['a shape of other size', file(JSON.stringify({ a: f32(0, 8, [3]) }), data), /other bytes/],
    [
      'a shape that overflows',
      file(JSON.stringify({ a: f32(0, 8, [2 ** 50, 2 ** 50]) }), data),
      /other bytes/,
    ],
    ['a negative shape', file(JSON.stringify({ a: f32(0, 8, [-1, -2]) }), data), /bad shape/],
    [
      'an unknown dtype',
      file('{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}', data),
      /unknown dtype/,
    ],
    ['a name twice', file('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}', data), /twice/], // prettier-ignore
    ['a tensor that is no object', file('{"a":1}', data), /object/],
    ['metadata that are no text', file('{"__metadata__":{"a":1}}'), /metadata/],
  ];
  for (const [title, bytes, pattern] of bad) {
    test(`refuses ${title}`, () => refused(bytes, pattern));
  }

  test('a tensor cannot take the metadata’s name', () => {
    const state: StateDict = new Map([['__metadata__', { dtype: 'float32', shape: [0], data: new Float32Array() }]]); // prettier-ignore
    assert.throws(() => encode(state), SoftshardError);
  });

  test('a failed write leaves the old file', async () => {
    const path = join(folder, 'kept.safetensors');
    await writeFile(path, 'old');
    const state: StateDict = new Map([['a', { dtype: 'float32', shape: [3], data: new Float32Array(2) }]]);
    await assert.rejects(
      async () => writeSafetensors(path, state),
      (error) => isSoftshardError(error, 'E_INTERNAL'),
    );
    assert.equal(await readFile(path, 'utf8'), 'old');
  });

  test('damage is refused or read, never a crash: truncations and flipped bytes', async () => {
    const whole = encode(sampleState(), { k: 'v' });
    const position = fc.integer({ min: 0, max: whole.byteLength - 1 });
    await fc.assert(
      fc.asyncProperty(position, (length) => refused(whole.subarray(0, length), /./)),
      { seed: 1, numRuns: 200 },
    );
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        try {
          await parseSafetensors(bytes);
        } catch (error) {
          assert.ok(error instanceof SoftshardError, String(error));
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
