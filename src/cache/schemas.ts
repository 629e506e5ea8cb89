/** The cache's files as JSON Schema, for readers in other languages. */
import { z } from 'zod';
import { manifestSchema } from './manifest.ts';
import { recordSchema } from './record.ts';
import { indexSchema, sealSchema } from './seal.ts';
import { shardHeaderSchema } from './shard.ts';
import { unitRecordSchema } from './unit-record.ts';

/** A JSON Schema (draft 2020-12), plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * JSON Schemas by file: `manifest` (cache.json), `unit` (units/NNNNNN.json), `index` (index.json), `seal` (SEAL), and
 * of a shard's msgpack maps: `shardHeader` and `record`.
 */
export function cacheSchemas(): Readonly<Record<string, JsonSchema>> {
  const schemas = {
    manifest: manifestSchema,
    unit: unitRecordSchema,
    index: indexSchema,
    seal: sealSchema,
    shardHeader: shardHeaderSchema,
    record: recordSchema,
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, { ...z.toJSONSchema(schema, { io: 'input' }) }]),
  );
}
