import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { codedAnswers, type CodedAnswer } from '../../src/cache/part.ts';
import { packPlain } from '../../src/cache/msgpack.ts';
import { checkCrc, decodeRecord, encodeRecord } from '../../src/cache/record.ts';
import { decodeShardHeader, encodeShard, readRecord } from '../../src/cache/shard.ts';
import type { Blob, Target } from '../../src/cache/target.ts';
import { canonicalJson } from '../../src/text/canonical-json.ts';
import { codecOf } from '../../src/cache/codec.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { syntheticTarget } from './synthetic.ts';

const answerOf = (blobs: readonly string[], codec: string): CodedAnswer => {
  const [answer] = codedAnswers({ answers: [{ kind: 'any', blobs: [...blobs], codec }] });
  assert.ok(answer !== undefined);
  return answer;
};

const isCacheError = (error: unknown): boolean =>
  isSoftshardError(error, 'E_CACHE_FORMAT') || isSoftshardError(error, 'E_CACHE_CORRUPT');

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

const floatBlob: fc.Arbitrary<Blob> = shape.chain((dims) => {
  const length = dims.reduce((a, b) => a * b, 1);
  return fc
    .float32Array({ minLength: length, maxLength: length, noNaN: true })
    .map((data) => ({ dtype: 'float32' as const, shape: dims, data }));
});

const randomTarget: fc.Arbitrary<Target> = fc
  .record({
    sample: fc.integer({ min: 0, max: 0xffffffff }),
    view: fc.nat(1000),
    inputDigest: fc.string({ maxLength: 16 }),
    record: fc.jsonValue(),
    blobs: fc.array(floatBlob, { maxLength: 4 }),
  })
  .map((target) => ({ ...target, blobs: new Map(target.blobs.map((blob, i) => [`blob.${i}`, blob])) }));

test('random targets come back from their record, blobs at multiples of 64', () => {
  const codec = codecOf('fp32');
  fc.assert(
    fc.property(randomTarget, (target) => {
      const record = encodeRecord(target, [...target.blobs.keys()], codec);
      checkCrc(record, 'x');
      const back = decodeRecord(record, codec, 'x');
      assert.deepEqual(back, { ...target, record: canonicalJson(target.record) });
      for (const { data } of back.blobs.values()) {
        assert.equal((data.byteOffset - record.byteOffset) % 64, 0);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a shard is a sequence of msgpack objects that states its crc32 and digests', async () => {
  const answer = answerOf(['head.0', 'head.1'], 'fp16');
  const targets = [0, 1, 2, 3].map((sample) => syntheticTarget(sample, 1));
  const { bytes, entry } = encodeShard(targets, answer, 2, 1);
  const header = decodeShardHeader(bytes, 'x');
  assert.deepEqual(
    { unit: header.unit, view: header.view, kind: header.kind, codec: header.codec, records: header.records },
    { unit: 2, view: 1, kind: 'any', codec: 'fp16', records: 4 },
  );
  const store = memoryStore();
  await store.putIfAbsent(entry.name, bytes);
  const unit = { unit: 2, view: 1, samples: [0, 1, 2, 3], shards: [entry] };
  for (const [i, target] of targets.entries()) {
    const [offset, length, crc] = entry.records[i] ?? [0, 0, 0];
    assert.equal(offset % 64, 0);
    assert.equal(crc, crc32(bytes.subarray(offset, offset + length - 5)));
    const back = await readRecord(store, unit, entry, i, answer.stored);
    assert.deepEqual([...back.blobs.keys()], ['head.0', 'head.1']);
    assert.equal(back.inputDigest, target.inputDigest);
    assert.deepEqual(back.record, target.record);
    assert.deepEqual(back.blobs.get('head.1')?.data, target.blobs.get('head.1')?.data);
  }
});

test('one record is read without the rest of its shard', async () => {
  const answer = answerOf(['head.0'], 'fp32');
  const { bytes, entry } = encodeShard(
    [0, 1, 2].map((s) => syntheticTarget(s, 0)),
    answer,
    0,
    0,
  );
  const inner = memoryStore();
  await inner.putIfAbsent(entry.name, bytes);
  let read = 0;
  const store = {
    ...inner,
    get: () => assert.fail('the whole shard was read'),
    getRange: async (name: string, offset: number, length: number) => {
      read += length;
      return inner.getRange(name, offset, length);
    },
  };
  await readRecord(store, { unit: 0, view: 0, samples: [0, 1, 2], shards: [entry] }, entry, 1, answer.stored);
  assert.equal(read, entry.records[1]?.[1]);
});

test('each flipped bit of a record shows in its crc32, and decoding it unchecked never crashes', () => {
  const codec = codecOf('fp16');
  const record = encodeRecord(syntheticTarget(3, 1), ['head.0', 'head.1'], codec);
  for (let bit = 0; bit < record.byteLength * 8; bit++) {
    const changed = Uint8Array.from(record);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => checkCrc(changed, 'x'), isCacheError);
    try {
      decodeRecord(changed, codec, 'x');
    } catch (error) {
      assert.ok(isCacheError(error), String(error));
    }
  }
  for (let length = 0; length < record.byteLength; length++) {
    assert.throws(() => decodeRecord(record.slice(0, length), codec, 'x'), isCacheError);
  }
});

interface ForgedBlob {
  readonly name?: unknown;
  readonly dtype?: unknown;
  readonly shape?: unknown;
  readonly codec?: unknown;
  readonly offset?: unknown;
  readonly bytes?: unknown;
}

/** A record whose map says what it likes about one blob of eight bytes at offset 128, with a right crc32. */
function forge(lie: ForgedBlob, more: Readonly<Record<string, unknown>> = {}): Uint8Array {
  const blob = { name: 'a', dtype: 'float32', shape: [2], codec: 'fp32', offset: 128, bytes: 8, ...lie };
  const map = packPlain({ sample: 0, view: 0, input: 'i', record: null, blobs: [blob], ...more }, 'x');
  const record = Buffer.alloc(128 + 8 + 5, 0xc0);
  record.set(map);
  record.writeUInt8(0xc6, 123);
  record.writeUInt32BE(8, 124);
  record.writeFloatLE(1.5, 128);
  record.writeFloatLE(-2, 132);
  record.writeUInt8(0xce, 136);
  record.writeUInt32BE(crc32(record.subarray(0, 136)), 137);
  return record;
}

test('lies about dtype, shape, codec and size are E_CACHE_FORMAT, and cost no memory', () => {
  const codec = codecOf('fp32');
  assert.deepEqual([...(decodeRecord(forge({}), codec, 'x').blobs.get('a')?.data ?? [])], [1.5, -2]);
  const lies: ForgedBlob[] = [
    { shape: [3] },
    { shape: [2 ** 31] },
    { shape: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff] },
    { shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] },
    { shape: [-2] },
    { shape: [2.5] },
    { shape: 'two' },
    { dtype: 'uint8' },
    { dtype: 'float64' },
    { codec: 'fp16' },
    { codec: 7 },
    { offset: 64 },
    { offset: 0 },
    { offset: 129 },
    { offset: 2 ** 31 },
    { offset: -64 },
    { bytes: 4 },
    { bytes: 16 },
    { bytes: 0xffffffff },
    { bytes: -8 },
    { name: '' },
    { name: null },
  ];
  for (const lie of lies) {
    assert.throws(
      () => decodeRecord(forge(lie), codec, 'x'),
      (error) => isSoftshardError(error, 'E_CACHE_FORMAT'),
      JSON.stringify(lie),
    );
  }
  for (const more of [{ blobs: [] }, { blobs: {} }, { sample: -1 }, { view: 'x' }, { input: 3 }]) {
    assert.throws(
      () => decodeRecord(forge({}, more), codec, 'x'),
      (error) => isSoftshardError(error, 'E_CACHE_FORMAT'),
      JSON.stringify(more),
    );
  }
  assert.throws(() => decodeRecord(forge({}), codecOf('fp16'), 'x'), /float32 in fp32/);
  assert.deepEqual(
    decodeRecord(forge({}, { novel: 1 }), codec, 'x').sample,
    0,
    'unknown fields are no error',
  );
});

test('an answer that lacks a blob is refused, a value out of range names view and blob', () => {
  const target = syntheticTarget(5, 1);
  assert.throws(
    () => encodeRecord(target, ['head.9'], codecOf('fp16')),
    (error) => isSoftshardError(error, 'E_INTERNAL') && error.message.includes('head.9'),
  );
  const large: Target = {
    ...target,
    blobs: new Map([['head.0', { shape: [1], data: Float32Array.of(7e4) }]]),
  };
  assert.throws(
    () => encodeRecord(large, ['head.0'], codecOf('fp16')),
    (error) => isSoftshardError(error, 'E_CODEC') && /head\.0 of sample 5, view 1/.test(error.message),
  );
});
