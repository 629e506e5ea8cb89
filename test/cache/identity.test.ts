import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareExtent,
  compareIdentity,
  compareProvenance,
  firstDifference,
} from '../../src/cache/identity.ts';
import { canonicalJson, type Json } from '../../src/text/canonical-json.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';

const differs =
  (code: ErrorCode, where: string, expected: string, found: string) =>
  (error: unknown): boolean => {
    assert.ok(isSoftshardError(error, code));
    const { detail } = error;
    assert.deepEqual([detail.where, detail.expected, detail.found], [where, expected, found]);
    assert.ok(detail.remedy !== undefined);
    return true;
  };

test('the first field that differs is named, with both values', () => {
  const expected = { teacher: { digest: 'a', graph: ['C3', 'SPPF'] }, seed: 1, answers: ['heads'] };
  compareIdentity(expected, { answers: ['heads'], seed: 1, teacher: { graph: ['C3', 'SPPF'], digest: 'a' } });
  const cases: [Json, string, string, string][] = [
    [{ ...expected, seed: 2 }, 'seed', '1', '2'],
    [{ ...expected, teacher: { ...expected.teacher, digest: 'b' }, seed: 2 }, 'teacher.digest', '"a"', '"b"'],
    [{ ...expected, teacher: { digest: 'a', graph: ['C3'] } }, 'teacher.graph[1]', '"SPPF"', 'nothing'],
    [{ ...expected, extra: null }, 'extra', 'nothing', 'null'],
    [{ teacher: expected.teacher, seed: 1 }, 'answers', '["heads"]', 'nothing'],
    [{ ...expected, answers: { heads: true } }, 'answers', '["heads"]', '{"heads":true}'],
  ];
  for (const [found, where, e, f] of cases) {
    assert.throws(() => compareIdentity(expected, found as never), differs('E_CACHE_IDENTITY', where, e, f));
  }
});

test('provenance and extent have their own words', () => {
  assert.throws(
    () => compareProvenance({ threads: 2 }, { threads: 1 }),
    differs('E_CACHE_PROVENANCE', 'threads', '2', '1'),
  );
  assert.throws(
    () => compareExtent({ views: 2 }, { views: 1 }),
    differs('E_CACHE_IDENTITY', 'extent.views', '2', '1'),
  );
});

test('a field without a value is no field', () => {
  compareIdentity({ a: 1, b: undefined as unknown as Json }, { a: 1 });
});

test('equal data have no difference, unequal ones do', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const [x, y] = [canonicalJson(a), canonicalJson(b)];
      assert.equal(firstDifference(x, canonicalJson(structuredClone(a))), undefined);
      const same = JSON.stringify(x) === JSON.stringify(y);
      assert.equal(firstDifference(x, y) === undefined, same);
    }),
    { seed: 1, numRuns: 500 },
  );
});
