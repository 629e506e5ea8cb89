/** A shard: a msgpack header map, then one record for each view of a unit, each at a multiple of 64 bytes. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { malformed } from './corrupt.ts';
import { SHARD_FORMAT } from './formats.ts';
import { packPlain, unpackPlain } from './msgpack.ts';
import type { CodedAnswer, PartKey } from './part.ts';
import { shardName } from './part.ts';
import { align, checkCrc, decodeRecord, encodeRecord, storedCrc } from './record.ts';
import type { Codec } from './codec.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import type { ShardEntry, UnitRecord } from './unit-record.ts';

export const shardHeaderSchema = z.looseObject({
  format: z.literal(SHARD_FORMAT.format),
  major: z.literal(SHARD_FORMAT.major),
  minor: z.int().min(0),
  unit: z.int().min(0),
  view: z.int().min(0),
  kind: z.string(),
  codec: z.string(),
  /** Records in the shard. */
  records: z.int().min(0),
});

export type ShardHeader = z.infer<typeof shardHeaderSchema>;

const NIL = 0xc0;

/** Turns targets into the bytes of one part's shard, one target at a time. */
export interface ShardEncoder {
  /** Bytes that come before the first record; write them first. */
  readonly header: Uint8Array;
  /** The bytes of the next record, with the nils before it. */
  add(target: Target): Uint8Array;
  /** As `add`, for a record that is encoded already. */
  addRecord(record: Uint8Array): Uint8Array;
  /** What the unit record says about the shard, once every target was added. */
  entry(): ShardEntry;
}

/** Begins the shard that unit `unit`, of `records` views at view index `view`, has for an answer. */
export function shardEncoder(answer: CodedAnswer, unit: number, view: number, records: number): ShardEncoder {
  const part: PartKey = { view, kind: answer.kind, codec: answer.codec };
  const name = shardName(part, unit);
  const header = packPlain({ ...SHARD_FORMAT, ...part, unit, records }, name);
  const hash = createHash('sha256').update(header);
  const table: [number, number, number][] = [];
  let bytes = header.byteLength;
  const addRecord = (record: Uint8Array): Uint8Array => {
    const offset = align(bytes);
    const chunk = Buffer.alloc(offset - bytes + record.byteLength, NIL);
    chunk.set(record, offset - bytes);
    table.push([offset, record.byteLength, storedCrc(record, name)]);
    hash.update(chunk);
    bytes += chunk.byteLength;
    return chunk;
  };
  return {
    header,
    add: (target) => addRecord(encodeRecord(target, answer.blobs, answer.stored)),
    addRecord,
    entry: () => ({
      kind: answer.kind,
      codec: answer.codec,
      name,
      bytes,
      sha256: hash.copy().digest('hex'),
      records: table,
    }),
  };
}

/** A whole shard in memory, and what the unit record says about it. */
export function encodeShard(
  targets: readonly Target[],
  answer: CodedAnswer,
  unit: number,
  view: number,
): { readonly bytes: Uint8Array; readonly entry: ShardEntry } {
  const encoder = shardEncoder(answer, unit, view, targets.length);
  const chunks = [encoder.header, ...targets.map((target) => encoder.add(target))];
  return { bytes: Buffer.concat(chunks), entry: encoder.entry() };
}

/** Reads a shard's header. Throws E_CACHE_FORMAT. */
export function decodeShardHeader(bytes: Uint8Array, where: string): ShardHeader {
  const parsed = shardHeaderSchema.safeParse(unpackPlain(bytes, 0, where).value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw malformed(`${where}: ${issue?.path.map(String).join('.') ?? ''}`, issue?.message ?? 'unknown');
}

/** Names one record for a message. */
export const recordPlace = (unit: UnitRecord, shard: ShardEntry, position: number): string =>
  `${shard.name}, record ${position} (sample ${String(unit.samples[position])}, view ${unit.view})`;

/** The bytes of one record by a ranged read, checked against its crc32 unless `check` is false. */
export async function readRecordBytes(
  store: Store,
  unit: UnitRecord,
  shard: ShardEntry,
  position: number,
  check = true,
): Promise<Uint8Array> {
  const place = shard.records[position];
  const where = recordPlace(unit, shard, position);
  if (place === undefined) throw malformed(where, 'no such record');
  const bytes = await store.getRange(shard.name, place[0], place[1]);
  if (check) checkCrc(bytes, where, place[2]);
  return bytes;
}

/**
 * The answer of one part to the view at `position` of a unit, without reading the rest of the shard. Throws
 * E_CACHE_FORMAT or E_CACHE_CORRUPT naming the shard, the record and the view.
 */
export async function readRecord(
  store: Store,
  unit: UnitRecord,
  shard: ShardEntry,
  position: number,
  codec: Codec,
  check = true,
): Promise<Target> {
  const where = recordPlace(unit, shard, position);
  const target = decodeRecord(await readRecordBytes(store, unit, shard, position, check), codec, where);
  if (target.sample !== unit.samples[position] || target.view !== unit.view) {
    throw malformed(where, `an answer to sample ${target.sample}, view ${target.view}`);
  }
  return target;
}
