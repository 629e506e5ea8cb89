/** `units/NNNNNN.json`: what a committed unit consists of. Its atomic creation is the commit. */
import { z } from 'zod';
import { decodeDocument, encodeDocument } from './document.ts';
import { malformed } from './corrupt.ts';
import { unitContent, type Answer, type Extent } from './extent.ts';
import { UNIT_FORMAT, unitName } from './formats.ts';
import { shardName } from './part.ts';

const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const shardEntrySchema = z.looseObject({
  kind: z.string(),
  codec: z.string(),
  name: z.string(),
  bytes,
  sha256: sha256Schema,
  /** For each view of the unit, in order: offset and length of its record in the shard, and its crc32. */
  records: z.array(z.tuple([bytes, bytes, z.int().min(0).max(0xffffffff)])),
});

export const unitRecordSchema = z.looseObject({
  unit: z.int().min(0),
  view: z.int().min(0),
  samples: z.array(z.int().min(0)),
  shards: z.array(shardEntrySchema),
});

/** One shard of a unit: its part, name, size, digest, and where each view's record lies. */
export type ShardEntry = z.infer<typeof shardEntrySchema>;

/** A committed unit: its view index, its samples in order, and one shard for each answer of the extent. */
export type UnitRecord = z.infer<typeof unitRecordSchema>;

export const encodeUnitRecord = (record: UnitRecord): Uint8Array => encodeDocument(UNIT_FORMAT, record);

function checkRecords(shard: ShardEntry, views: number, where: string): void {
  let end = 0;
  for (const [offset, length] of shard.records) {
    if (offset < end || offset + length > shard.bytes) {
      throw malformed(where, `a record at ${offset} to ${offset + length}`, {
        expected: `between ${end} and ${shard.bytes}`,
      });
    }
    end = offset + length;
  }
  if (shard.records.length !== views || end !== shard.bytes) {
    throw malformed(where, `${shard.records.length} records ending at ${end}`, {
      expected: `${views} records ending at ${shard.bytes}`,
    });
  }
}

/**
 * Reads a unit's record and checks it against the extent. Throws E_CACHE_FORMAT, E_CACHE_CORRUPT.
 */
export function decodeUnitRecord(
  content: Uint8Array,
  unit: number,
  extent: Extent,
  answers: readonly Pick<Answer, 'kind' | 'codec'>[],
): UnitRecord {
  const where = unitName(unit);
  const record = decodeDocument(content, UNIT_FORMAT, unitRecordSchema, where);
  const { view, samples } = unitContent(extent, unit);
  if (record.unit !== unit || record.view !== view || record.samples.join() !== samples.join()) {
    throw malformed(where, `unit ${record.unit}, view ${record.view}, ${record.samples.length} samples`, {
      expected: `unit ${unit}, view ${view}, ${samples.length} samples from ${String(samples[0])}`,
    });
  }
  if (record.shards.length !== answers.length) {
    throw malformed(where, `${record.shards.length} shards`, { expected: `${answers.length} shards` });
  }
  answers.forEach(({ kind, codec }, i) => {
    const shard = record.shards[i];
    const name = shardName({ view, kind, codec }, unit);
    if (shard?.kind !== kind || shard.codec !== codec || shard.name !== name) {
      throw malformed(where, `shard ${shard?.name ?? 'missing'}`, { expected: name });
    }
    checkRecords(shard, samples.length, `${where}: ${name}`);
  });
  return record;
}
