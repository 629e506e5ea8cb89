import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/text/canonical-json.ts';
import { packPlain, unpackPlain } from '../../src/cache/msgpack.ts';
import { isSoftshardError } from '../../src/errors.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test('plain data come back, with the offset behind them', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(5), (value, before) => {
      const packed = packPlain(value, 'x');
      const bytes = Buffer.concat([Buffer.alloc(before, 0xc0), packed, Buffer.from([0xc0])]);
      const { value: back, end } = unpackPlain(bytes, before, 'x');
      assert.deepEqual(back, canonicalJson(value));
      assert.equal(end, before + packed.byteLength);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('float64 values keep their bits, large integers are exact', () => {
  for (const value of [
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308,
    2 ** 32,
    2 ** 53 - 1,
    -(2 ** 40),
    255,
    -33,
  ]) {
    assert.ok(Object.is(unpackPlain(packPlain([value], 'x'), 0, 'x').value?.[0 as never], value));
  }
});

test('bytes packed before are not changed by packing more', () => {
  const first = packPlain({ a: 'first' }, 'x');
  const copy = Uint8Array.from(first);
  for (let i = 0; i < 1000; i++) packPlain({ a: 'other', i }, 'x');
  assert.deepEqual(first, copy);
});

test('hostile bytes are E_CACHE_FORMAT before anything is built', () => {
  const hostile = [
    '',
    '81', // a map without its pair
    '81 a1', // a key without its text
    'dd ffffffff', // an array of 2^32 - 1
    'df ffffffff',
    'db ffffffff 61',
    'dc ffff c0 c0',
    '81 01 02', // a key that is a number
    '81 c0 02',
    'c4 01 00', // bin
    'c1', // never used
    'd4 72 40', // msgpackr's records extension
    'd6 ff 00000000', // a timestamp
    'cf 0000000000000001', // 64-bit integers
    'd3 0000000000000001',
    'c8 ffff 00',
    '91'.repeat(200) + 'c0', // nested too deep
    'cb 0000',
  ];
  for (const bytes of hostile) {
    assert.throws(
      () => unpackPlain(hex(bytes), 0, 'shard, record 1'),
      (error) => isSoftshardError(error, 'E_CACHE_FORMAT') && error.message.includes('shard, record 1'),
      bytes.slice(0, 40),
    );
  }
  const many = Buffer.alloc(2_000_000, 0x90);
  many.set(hex('dd 001e8000'));
  assert.throws(
    () => unpackPlain(many, 0, 'x'),
    (error) => isSoftshardError(error, 'E_CACHE_FORMAT'),
  );
});

test('random bytes never crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      try {
        assert.ok(unpackPlain(bytes, 0, 'x').end <= bytes.byteLength);
      } catch (error) {
        assert.ok(isSoftshardError(error, 'E_CACHE_FORMAT'));
      }
    }),
    { seed: 1, numRuns: 5000 },
  );
});

test('a __proto__ key does not reach the prototype', () => {
  const bytes = hex('81 a9 5f5f70726f746f5f5f 81 a1 78 01');
  const { value } = unpackPlain(bytes, 0, 'x');
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('plain data beyond a mebibyte are refused', () => {
  assert.throws(() => packPlain('x'.repeat(1024 * 1024), 'record'), /too large/);
});
