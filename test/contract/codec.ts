/** What every codec must do. Each implementation runs it with blobs of its own and its error bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codecOf, codecSpec, type CodecFactories } from '../../src/cache/codec.ts';
import { dtypeOf, elementsOf, type Blob } from '../../src/cache/target.ts';
import { isSoftshardError } from '../../src/errors.ts';

export interface CodecCase {
  /** As on the command line. */
  readonly spec: string;
  readonly codecs?: CodecFactories;
  /** Blobs that the codec must take: special values, empty and scalar shapes included. */
  readonly blobs: readonly Blob[];
  /** Random blobs that it must take. */
  readonly arbitrary: fc.Arbitrary<Blob>;
  /**
   * Largest error of one value: |decoded - value|, 0 when nothing is lost. NaN must stay NaN. Or a function that
   * throws unless a blob came back well enough as a whole.
   */
  readonly bound:
    ((value: number) => number) | { readonly check: (blob: Blob, decoded: Float32Array) => void };
  /** Shapes that bytes of no encoder are decoded for; small ones of up to three dimensions by default. */
  readonly shapes?: fc.Arbitrary<number[]>;
}

const bytesOf = (data: Float32Array | Uint8Array): Buffer =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** Registers the suite's tests under the codec's spec. */
export function codecConformance({ spec, codecs, blobs, arbitrary, bound, shapes }: CodecCase): void {
  const codec = codecOf(spec, codecs);

  const roundTrip = (blob: Blob): void => {
    const before = Buffer.from(bytesOf(blob.data));
    const bytes = codec.encode(blob, 'blob');
    const { min, max } = codec.boundsBytes(blob.shape);
    assert.ok(bytes.byteLength >= min && bytes.byteLength <= max, 'size within its bounds');
    const copy = bytes.slice();
    const decoded = codec.decode(copy, blob.shape, 'blob');
    assert.equal(decoded.length, elementsOf(blob.shape));
    assert.equal(decoded instanceof Float32Array, codec.dtype === 'float32');
    if (typeof bound === 'function') {
      blob.data.forEach((value, i) => {
        const other = decoded[i] ?? 0;
        const equal = Object.is(other, value) || Math.abs(other - value) <= bound(value);
        assert.ok(equal, `value ${value} came back as ${other}`);
      });
    } else {
      assert.ok(decoded instanceof Float32Array);
      bound.check(blob, decoded);
    }
    assert.deepEqual(bytesOf(blob.data), before, 'encoding leaves the blob alone');
    assert.deepEqual(codec.encode(blob, 'blob'), bytes, 'encoding is deterministic');
    // Encoding what was decoded changes nothing more.
    const again: Blob =
      decoded instanceof Float32Array
        ? { shape: blob.shape, data: decoded }
        : { dtype: 'uint8', shape: blob.shape, data: decoded };
    assert.deepEqual(codec.encode(again, 'blob'), copy, 'decoding and encoding is stable');
  };

  test(`${spec}: is named by its canonical spec`, () => {
    assert.equal(codecSpec(codecOf(codecSpec(codec), codecs)), codecSpec(codec));
  });

  test(`${spec}: special values and shapes come back within the bound`, () => {
    for (const blob of blobs) roundTrip(blob);
  });

  test(`${spec}: random blobs come back within the bound`, () => {
    fc.assert(fc.property(arbitrary, roundTrip), { seed: 1, numRuns: 200 });
  });

  test(`${spec}: decodes from any alignment`, () => {
    for (const blob of blobs) {
      const bytes = codec.encode(blob, 'blob');
      const shifted = new Uint8Array(bytes.byteLength + 3);
      shifted.set(bytes, 3);
      const straight = codec.decode(bytes.slice(), blob.shape, 'blob');
      assert.deepEqual(bytesOf(codec.decode(shifted.subarray(3), blob.shape, 'blob')), bytesOf(straight));
      // A Buffer's slice is no copy.
      const buffer = Buffer.from(shifted.buffer, 3);
      assert.deepEqual(bytesOf(codec.decode(buffer, blob.shape, 'blob')), bytesOf(straight));
    }
  });

  test(`${spec}: refuses a blob of another dtype or of the wrong length`, () => {
    const other: Blob =
      codec.dtype === 'float32'
        ? { dtype: 'uint8', shape: [2], data: new Uint8Array(2) }
        : { shape: [2], data: new Float32Array(2) };
    const short: Blob =
      codec.dtype === 'float32'
        ? { shape: [3], data: new Float32Array(2) }
        : { dtype: 'uint8', shape: [3], data: new Uint8Array(2) };
    for (const blob of [other, short]) {
      assert.throws(
        () => codec.encode(blob, 'head.0'),
        (error) => isSoftshardError(error, 'E_CODEC') && error.message.includes('head.0'),
      );
    }
  });

  test(`${spec}: bytes that no encoder made are an error or a blob, never a crash`, () => {
    const bytes = fc.uint8Array({ maxLength: 64 });
    const shape = shapes ?? fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });
    fc.assert(
      fc.property(bytes, shape, (content, dims) => {
        try {
          const data = codec.decode(content, dims, 'blob');
          assert.equal(data.length, elementsOf(dims));
        } catch (error) {
          assert.ok(isSoftshardError(error, 'E_CACHE_CORRUPT') || isSoftshardError(error, 'E_CODEC'));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
    for (const blob of blobs.filter((b) => elementsOf(b.shape) > 0)) {
      const whole = codec.encode(blob, 'blob');
      assert.equal(dtypeOf(blob), codec.dtype);
      for (const cut of [whole.slice(1), whole.slice(0, -1), Buffer.concat([whole, Buffer.from([0])])]) {
        assert.throws(
          () => codec.decode(cut, blob.shape, 'head.0'),
          (error) => isSoftshardError(error, 'E_CACHE_CORRUPT') && error.message.includes('head.0'),
        );
      }
    }
  });
}
