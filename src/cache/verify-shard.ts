/** Checks one shard against its unit's record, and locates the damage where there is some. */
import type { Findings } from './findings.ts';
import { objectSha256 } from './object-hash.ts';
import { shardName } from './part.ts';
import { decodeShardHeader, readRecordBytes, recordPlace } from './shard.ts';
import type { Store } from './store.ts';
import type { ShardEntry, UnitRecord } from './unit-record.ts';

/** Looks for the records of a damaged shard whose crc32 fails. */
async function damagedRecords(store: Store, unit: UnitRecord, shard: ShardEntry): Promise<string> {
  const damaged: string[] = [];
  for (let i = 0; i < shard.records.length; i++) {
    await readRecordBytes(store, unit, shard, i).catch(() => damaged.push(recordPlace(unit, shard, i)));
  }
  return damaged.length === 0 ? 'bytes outside of the records' : damaged.join('; ');
}

/** Adds to `findings` what is wrong with a shard: size, sha256 (naming the damaged views), header. */
export async function verifyShard(
  store: Store,
  unit: UnitRecord,
  shard: ShardEntry,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  const size = await store.size(shard.name);
  if (size === undefined) {
    findings.add(shard.name, 'The file is missing.');
    return;
  }
  findings.files++;
  findings.bytes += size;
  if (size !== shard.bytes) {
    findings.add(shard.name, `It has ${size} bytes, and ${shard.bytes} were written.`);
    return;
  }
  const found = await objectSha256(store, shard.name, size, signal);
  if (found !== shard.sha256) {
    const what = `Its sha256 is ${found}, and ${shard.sha256} was written. Damaged: `;
    findings.add(shard.name, what + (await damagedRecords(store, unit, shard)));
    return;
  }
  const first = await store.getRange(shard.name, 0, Math.min(size, shard.records[0]?.[0] ?? size));
  const header = decodeShardHeader(first, shard.name);
  if (
    header.unit !== unit.unit ||
    header.records !== unit.samples.length ||
    shardName(header, header.unit) !== shard.name
  ) {
    findings.add(shard.name, 'It is the shard of another unit or part.', 'E_CACHE_FORMAT');
  }
}
