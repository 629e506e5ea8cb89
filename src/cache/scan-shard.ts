/** What a unit's record said about a shard, from the shard alone: for a unit whose record is damaged. */
import { corrupt, malformed } from './corrupt.ts';
import { unpackPlain } from './msgpack.ts';
import { objectSha256 } from './object-hash.ts';
import { shardName, type CodedAnswer } from './part.ts';
import { align, checkCrc, recordBytes, storedCrc } from './record.ts';
import { shardEncoder } from './shard.ts';
import type { Store } from './store.ts';
import type { ShardEntry } from './unit-record.ts';

/** First bytes of a record that are read to find its length; more where its map is longer. */
const HEAD_BYTES = 16 * 1024;
const NIL = 0xc0;

/** Length of the record that begins at `offset`, from its own map. */
async function lengthAt(store: Store, name: string, offset: number, size: number): Promise<number> {
  for (let bytes = HEAD_BYTES; ; bytes *= 8) {
    const available = Math.min(bytes, size - offset);
    const head = await store.getRange(name, offset, available);
    try {
      const { value, end } = unpackPlain(head, 0, name);
      return recordBytes(value, end, name);
    } catch (error) {
      if (available < bytes) throw error;
    }
  }
}

/**
 * Reads every record of a shard. Header, places, padding and crc32 of each are checked; whether the records are those
 * of this cache only a digest tells. Throws E_CACHE_FORMAT, E_CACHE_CORRUPT.
 */
export async function scanShard(
  store: Store,
  answer: CodedAnswer,
  unit: number,
  view: number,
  records: number,
  signal?: AbortSignal,
): Promise<ShardEntry> {
  const { kind, codec } = answer;
  const name = shardName({ view, kind, codec }, unit);
  const size = await store.size(name);
  if (size === undefined) throw corrupt(name, 'no such file');
  const { header } = shardEncoder(answer, unit, view, records);
  const found = await store.getRange(name, 0, header.byteLength);
  if (Buffer.compare(found, header) !== 0) throw corrupt(name, 'another header than its unit gives');
  const table: [number, number, number][] = [];
  let end = header.byteLength;
  for (let i = 0; i < records; i++) {
    const where = `${name}, record ${i}`;
    const offset = align(end);
    if (offset >= size) throw malformed(where, `an end at byte ${size}`);
    const padding = await store.getRange(name, end, offset - end);
    if (padding.some((byte) => byte !== NIL)) throw corrupt(where, `padding that is not nil at byte ${end}`);
    const length = await lengthAt(store, name, offset, size);
    const record = await store.getRange(name, offset, length);
    checkCrc(record, where);
    table.push([offset, length, storedCrc(record, where)]);
    end = offset + length;
  }
  if (end !== size) throw malformed(name, `${size} bytes`, { expected: `${end} bytes` });
  return {
    kind,
    codec,
    name,
    bytes: size,
    sha256: await objectSha256(store, name, size, signal),
    records: table,
  };
}
