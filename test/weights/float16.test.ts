import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getFloat16, setFloat16 } from '@petamoriken/float16';
import fc from 'fast-check';
import { SoftshardError } from '../../src/errors.ts';
import { decodeBFloat16, encodeBFloat16 } from '../../src/weights/bfloat16.ts';
import { decodeFloat16, encodeFloat16, float16Bits } from '../../src/weights/float16.ts';

const view = new DataView(new ArrayBuffer(2));
const oracleDecode = (bits: number): number => {
  view.setUint16(0, bits);
  return getFloat16(view, 0);
};
const oracleEncode = (value: number): number => {
  setFloat16(view, 0, value);
  return view.getUint16(0);
};
const encodeOne = (value: number): number => {
  const out = new Uint16Array(1);
  encodeFloat16(Float32Array.of(value), out);
  return out[0] ?? -1;
};

describe('float16', () => {
  test('every bit pattern decodes to its value and encodes back', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = new Float32Array(65536);
    decodeFloat16(bits, values);
    values.forEach((value, i) => assert.ok(Object.is(value, oracleDecode(i)), `bits ${i.toString(16)}`));
    const back = new Uint16Array(65536);
    const nonFinite = encodeFloat16(values, back);
    assert.equal(nonFinite, 2 * 1024); // exponent 31, both signs
    back.forEach((b, i) => {
      if (Number.isNaN(values[i])) assert.ok((b & 0x7c00) === 0x7c00 && (b & 0x3ff) !== 0);
      else assert.equal(b, i);
    });
  });

  test('rounds the halfway points between neighbours to even', () => {
    for (let i = 0; i < 0x7bff; i++) {
      const middle = (oracleDecode(i) + oracleDecode(i + 1)) / 2; // exact in float32
      assert.equal(encodeOne(middle), (i & 1) === 0 ? i : i + 1);
      assert.equal(encodeOne(-middle), 0x8000 | ((i & 1) === 0 ? i : i + 1));
    }
  });

  test('agrees with another implementation on any float32 bits', () => {
    const bits = fc.uint32Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(bits, (raw) => {
        const src = new Float32Array(raw.slice().buffer);
        const dst = new Uint16Array(src.length);
        const nonFinite = encodeFloat16(src, dst);
        let expected = 0;
        src.forEach((value, i) => {
          if (!Number.isFinite(oracleDecode(oracleEncode(value)))) expected++;
          if (!Number.isNaN(value)) assert.equal(dst[i], oracleEncode(value));
        });
        assert.equal(nonFinite, expected);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('a float64 is rounded once', () => {
    assert.equal(float16Bits(1 + 2 ** -11 + 2 ** -40), 0x3c01); // twice would give 0x3c00
    assert.equal(float16Bits(1 + 2 ** -11), 0x3c00);
    assert.equal(float16Bits(65519.999999999), 0x7bff);
    assert.equal(float16Bits(65520), 0x7c00);
    assert.equal(float16Bits(-1e300), 0xfc00);
    assert.equal(float16Bits(1e-300), 0);
    assert.equal(float16Bits(-0), 0x8000);
    assert.equal(float16Bits(2 ** -25 * (1 + 2 ** -52)), 1);
    const value = fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -70000, max: 70000, noNaN: true }));
    fc.assert(
      fc.property(value, (x) => assert.equal(float16Bits(x), oracleEncode(x))),
      { seed: 1, numRuns: 3000 },
    );
  });

  test('works on views with an offset and refuses unequal lengths', () => {
    const src = Float32Array.of(9, 1, -2).subarray(1);
    const dst = new Uint16Array(3).subarray(1);
    assert.equal(encodeFloat16(src, dst), 0);
    assert.deepEqual([...dst], [0x3c00, 0xc000]);
    const back = new Float32Array(3).subarray(1);
    decodeFloat16(dst, back);
    assert.deepEqual([...back], [1, -2]);
    assert.throws(() => encodeFloat16(src, new Uint16Array(1)), SoftshardError);
  });
});

describe('bfloat16', () => {
  test('every bit pattern decodes and encodes back', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = new Float32Array(65536);
    decodeBFloat16(bits, values);
    assert.equal(values[0x3f80], 1);
    assert.equal(values[0xc049], -3.140625);
    const back = new Uint16Array(65536);
    encodeBFloat16(values, back);
    back.forEach((b, i) => (Number.isNaN(values[i]) ? assert.equal(b & 0x7fc0, 0x7fc0) : assert.equal(b, i)));
  });

  test('rounds to even', () => {
    const out = new Uint16Array(3);
    encodeBFloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20), out);
    assert.deepEqual([...out], [0x3f80, 0x3f82, 0x3f81]);
  });
});
