import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { bytesText, inspectCache, summaryText } from '../../src/cache/inspect.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { cacheSchemas } from '../../src/cache/schemas.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { EXTENT, IDENTITY, optionsFor, planOf, PROVENANCE, targetsOf, writeSynthetic } from './synthetic.ts';

test('a sealed cache is summarised from its small files', async () => {
  const objects = new Map<string, Uint8Array>();
  const store = memoryStore(objects);
  await writeSynthetic(store);
  const summary = await inspectCache({ ...store, getRange: () => assert.fail('a shard was read') });
  const shards = [...objects].filter(([name]) => name.endsWith('.shard'));
  const bytes = shards.reduce((n, [, content]) => n + content.byteLength, 0);
  assert.equal(summary.bytes, bytes);
  assert.equal(summary.bytesPerView, Math.round(bytes / 20));
  assert.deepEqual([summary.units, summary.unitsTotal, summary.views, summary.viewsTotal], [6, 6, 20, 20]);
  assert.deepEqual([summary.identity, summary.provenance], [IDENTITY, PROVENANCE]);
  assert.ok(summary.sealed);
  assert.match(summary.tree ?? '', /^[0-9a-f]{64}$/);
  const text = summaryText(summary);
  for (const line of [
    'softshard-cache 1.0, sealed',
    'units: 6 of 6 (4 views each)',
    '  seed: 7',
    '  engine: "synthetic"',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.match(text, /heads in fp16: .* \(head\.0, head\.1\)/);
});

test('a growing cache is summarised from its unit records', async () => {
  const store = memoryStore();
  const writer = await openCacheForWriting(optionsFor(store));
  const unit = planOf(EXTENT).units[2];
  assert.ok(unit !== undefined);
  const record = await writer.writeUnit(unit, targetsOf(unit));
  const summary = await inspectCache(store);
  assert.equal(summary.sealed, false);
  assert.equal(summary.units, 1);
  assert.equal(summary.views, 2);
  assert.equal(
    summary.bytes,
    record.shards.reduce((n, shard) => n + shard.bytes, 0),
  );
  assert.match(summaryText(summary), /not sealed/);
  await assert.rejects(inspectCache(memoryStore()), (e) => isSoftshardError(e, 'E_CACHE_FORMAT'));
});

test('bytes read well', () => {
  assert.deepEqual([0, 999, 1000, 48_200, 999_700, 507e9, 2.5e15, 5e18].map(bytesText), [
    '0 B',
    '999 B',
    '1.00 KB',
    '48.2 KB',
    '1.00 MB',
    '507 GB',
    '2.50 PB',
    '5000 PB',
  ]);
});

test('the schemas are JSON Schema, and keep unknown fields', () => {
  const schemas = cacheSchemas();
  assert.deepEqual(Object.keys(schemas), ['manifest', 'unit', 'index', 'seal', 'shardHeader', 'record']);
  for (const [name, schema] of Object.entries(schemas)) {
    assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema', name);
    assert.equal(schema['type'], 'object', name);
    assert.notEqual(schema['additionalProperties'], false, name);
    JSON.stringify(schema);
  }
  assert.deepEqual(schemas['manifest']?.['required'], [
    'format',
    'major',
    'minor',
    'identity',
    'provenance',
    'extent',
  ]);
});
