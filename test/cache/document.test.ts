import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { decodeDocument, encodeDocument } from '../../src/cache/document.ts';
import { canonicalJson } from '../../src/text/canonical-json.ts';
import { isSoftshardError } from '../../src/errors.ts';

const FORMAT = { format: 'test-file', major: 3, minor: 1 } as const;
const schema = z.looseObject({ value: z.unknown() });
const decode = (bytes: Uint8Array) => decodeDocument(bytes, FORMAT, schema, 'file.json');

const resealed = (text: string): Uint8Array => {
  const blank = text.replace(/"digest": "[^"]*"/, `"digest": "${'0'.repeat(64)}"`);
  const digest = createHash('sha256').update(blank).digest('hex');
  return Buffer.from(blank.replace('0'.repeat(64), digest));
};

const isCacheError = (error: unknown): boolean =>
  isSoftshardError(error, 'E_CACHE_FORMAT') || isSoftshardError(error, 'E_CACHE_CORRUPT');

test('a document comes back, in one form whatever the order of its keys', () => {
  const a = encodeDocument(FORMAT, { value: { b: 1, a: [true, null, 'ü', -0] }, none: undefined });
  const b = encodeDocument(FORMAT, { none: undefined, value: { a: [true, null, 'ü', 0], b: 1 } });
  assert.deepEqual(a, b);
  assert.deepEqual(decode(a).value, { a: [true, null, 'ü', 0], b: 1 });
});

test('its digest is the sha256 of its bytes with zeros at bytes 14 to 77', () => {
  const bytes = Buffer.from(encodeDocument(FORMAT, { value: 'ü' }));
  const stated = bytes.subarray(14, 78).toString();
  bytes.fill('0', 14, 78);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), stated);
});

test('random plain data come back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const canonical = canonicalJson(value);
      assert.deepEqual(decode(encodeDocument(FORMAT, { value })).value, canonical);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('what JSON cannot carry is named', () => {
  const bad = [NaN, Infinity, 1n, Symbol('x'), () => 0, new Date(0), new Float32Array(1), new Map()];
  for (const value of bad) {
    assert.throws(
      () => canonicalJson({ outer: [{ inner: value }] }),
      (error) => isSoftshardError(error, 'E_CODEC') && error.detail.where === 'outer[0].inner',
    );
  }
  const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1);
  assert.throws(() => canonicalJson(deep), /64 levels/);
});

test('unknown minor fields are kept, an unknown major is refused', () => {
  const text = Buffer.from(encodeDocument(FORMAT, { value: 1 })).toString();
  const later = resealed(text.replace('"minor": 1', '"minor": 9,\n "novel": [1]'));
  assert.deepEqual(decode(later)['novel'], [1]);
  const major = resealed(text.replace('"major": 3', '"major": 4'));
  assert.throws(
    () => decode(major),
    (error) => isSoftshardError(error, 'E_CACHE_FORMAT') && /test-file 3\.x/.test(error.message),
  );
  assert.throws(() => decode(resealed(text.replace('test-file', 'other'))), isCacheError);
});

test('each flipped bit and each truncation is an error', () => {
  const bytes = encodeDocument(FORMAT, { value: { text: 'hello', n: 12345 } });
  for (let at = 0; at < bytes.byteLength; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      assert.throws(() => decode(changed), isCacheError, `byte ${at}, bit ${bit}`);
    }
    assert.throws(() => decode(bytes.slice(0, at)), isCacheError);
  }
});

test('hostile JSON is an error', () => {
  const deep = `{"value": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  for (const text of [
    deep,
    '',
    'null',
    '[]',
    '{}',
    '{"digest": 1}',
    '{"__proto__": {"value": 1}}',
    '\u0000',
  ]) {
    assert.throws(() => decode(Buffer.from(text)), isCacheError);
  }
});
