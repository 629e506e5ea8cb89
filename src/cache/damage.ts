/** What of a cache is damaged, down to the record, and what can still be trusted. */
import type { CodecFactories } from './codec.ts';
import { manifestBytes } from './cache-reader.ts';
import { corrupt } from './corrupt.ts';
import { sha256Hex } from './document.ts';
import { unitContent, unitCount, type Extent } from './extent.ts';
import { isSoftshardError, SoftshardError } from '../errors.ts';
import { INDEX_NAME, MANIFEST_NAME, SEAL_NAME, unitName, unitOfName } from './formats.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { objectSha256 } from './object-hash.ts';
import { codedAnswers, type CodedAnswer } from './part.ts';
import { readUnit } from './read-unit.ts';
import { scanShard } from './scan-shard.ts';
import { decodeIndex, decodeSeal, type CacheIndex, type Seal } from './seal.ts';
import { readRecordBytes } from './shard.ts';
import type { Store } from './store.ts';
import { strangersAmong } from './strangers.ts';
import { encodeUnitRecord, type ShardEntry, type UnitRecord } from './unit-record.ts';

/** A shard to be written anew. */
export interface ShardDamage {
  /** Its answer's index in the extent. */
  readonly answer: number;
  /** Positions whose records are damaged; empty where only header or padding is. */
  readonly positions: readonly number[];
}

export interface UnitDamage {
  readonly unit: number;
  /** The unit's record: as it stands, or proven from its shards. Undefined when it is lost. */
  readonly record: UnitRecord | undefined;
  /** Whether the record's file is to be written anew. */
  readonly recordFile: boolean;
  /** sha256 of the record's file, where the index states it. */
  readonly stated: string | undefined;
  readonly shards: readonly ShardDamage[];
}

export interface CacheDamage {
  readonly manifest: Manifest;
  readonly manifestContent: Uint8Array;
  readonly answers: readonly CodedAnswer[];
  /** Whether the cache was sealed once: every unit must be there. */
  readonly sealed: boolean;
  /** The seal, where it can be trusted. */
  readonly seal: Seal | undefined;
  /** Units that are committed, or were when the cache was sealed, ascending. */
  readonly units: readonly number[];
  readonly damaged: readonly UnitDamage[];
  /** Files that are none of the cache's. */
  readonly strangers: readonly string[];
}

export interface DamageOptions {
  readonly codecs?: CodecFactories;
  readonly signal?: AbortSignal;
  /** Told after each unit: how many were looked at, of how many. */
  readonly onUnit?: (done: number, total: number) => void;
}

/** What `work` gives; undefined where the cache's bytes do not allow it. Other failures go on. */
async function intact<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isSoftshardError(error, 'E_CACHE_FORMAT') || isSoftshardError(error, 'E_CACHE_CORRUPT'))
      return undefined;
    throw error;
  }
}

/** The positions of a shard whose records cannot be read, or undefined where the whole shard is as it was written. */
async function damagedPositions(
  store: Store,
  record: UnitRecord,
  shard: ShardEntry,
  signal?: AbortSignal,
): Promise<number[] | undefined> {
  const { name, bytes, sha256, records } = shard;
  const found =
    (await store.size(name)) === bytes ? await objectSha256(store, name, bytes, signal) : undefined;
  if (found === sha256) return undefined;
  const positions: number[] = [];
  for (let i = 0; i < records.length; i++) {
    if ((await intact(() => readRecordBytes(store, record, shard, i))) === undefined) positions.push(i);
  }
  return positions;
}

/** The digest that a unit record's file states of itself, however damaged the rest is. */
const ownDigest = (content: Uint8Array): string =>
  /^\{\n "digest": "([0-9a-f]{64})"/.exec(Buffer.from(content.subarray(0, 100)).toString('latin1'))?.[1] ??
  '';

/** The record that a unit's whole shards give, where the index or the damaged file itself proves it. */
async function provenRecord(
  store: Store,
  unit: number,
  extent: Extent,
  answers: readonly CodedAnswer[],
  stated: string | undefined,
  signal?: AbortSignal,
): Promise<UnitRecord | undefined> {
  const { view, samples } = unitContent(extent, unit);
  const record = await intact(async () => {
    const shards: ShardEntry[] = [];
    for (const answer of answers) {
      shards.push(await scanShard(store, answer, unit, view, samples.length, signal));
    }
    return { unit, view, samples, shards };
  });
  if (record === undefined) return undefined;
  const fresh = encodeUnitRecord(record);
  if (stated !== undefined) return sha256Hex(fresh) === stated ? record : undefined;
  const damaged = await store.get(unitName(unit));
  return damaged !== undefined && ownDigest(damaged) === ownDigest(fresh) ? record : undefined;
}

async function unitDamage(
  store: Store,
  unit: number,
  {
    extent,
    answers,
    stated,
  }: { extent: Extent; answers: readonly CodedAnswer[]; stated: string | undefined },
  signal?: AbortSignal,
): Promise<UnitDamage | undefined> {
  const committed = await intact(() => readUnit(store, unit, extent, answers, stated));
  const record = committed?.record ?? (await provenRecord(store, unit, extent, answers, stated, signal));
  const recordFile = committed === undefined;
  const shards: ShardDamage[] = [];
  if (record === undefined) {
    const positions = unitContent(extent, unit).samples.map((_, i) => i);
    answers.forEach((_, answer) => shards.push({ answer, positions }));
  } else {
    for (const [answer, shard] of record.shards.entries()) {
      const positions = await damagedPositions(store, record, shard, signal);
      if (positions !== undefined) shards.push({ answer, positions });
    }
  }
  return recordFile || shards.length > 0 ? { unit, record, recordFile, stated, shards } : undefined;
}

/** Whether at least half of the unit records are those that an index lists. */
async function agrees(store: Store, index: CacheIndex, units: number): Promise<boolean> {
  if (index.units.length !== units || !index.units.every(({ unit }, i) => unit === i)) return false;
  let agreeing = 0;
  for (const { unit, sha256 } of index.units) {
    const content = await store.get(unitName(unit));
    if (content !== undefined && sha256Hex(content) === sha256) agreeing++;
  }
  return 2 * agreeing >= units;
}

/** SEAL and the digests of unit records, as far as they can be trusted. Throws E_CACHE_CORRUPT for a strange manifest. */
async function trusted(store: Store, manifestContent: Uint8Array, extent: Extent) {
  const sealContent = await store.get(SEAL_NAME);
  const indexContent = await store.get(INDEX_NAME);
  const read = sealContent && (await intact(() => decodeSeal(sealContent)));
  const index = indexContent && (await intact(() => decodeIndex(indexContent)));
  const isSealed = indexContent !== undefined && read?.index === sha256Hex(indexContent);
  const found = sha256Hex(manifestContent);
  const seal = read?.manifest === found ? read : undefined;
  // What SEAL does not vouch for is believed as far as it agrees with the unit records.
  const indexWhole =
    index !== undefined &&
    ((isSealed && seal !== undefined) || (await agrees(store, index, unitCount(extent)))) &&
    (isSealed || seal === undefined);
  if (indexWhole && isSealed && seal === undefined)
    throw corrupt(MANIFEST_NAME, `sha256 ${found}`, { expected: `sha256 ${read.manifest}` });
  return {
    sealed: sealContent !== undefined || indexContent !== undefined,
    seal,
    digests: indexWhole ? new Map(index.units.map(({ unit, sha256 }) => [unit, sha256])) : undefined,
  };
}

/**
 * Reads the whole cache and says what is damaged. Throws E_CACHE_FORMAT or E_CACHE_CORRUPT for a manifest that cannot
 * be read, since everything else is told by it; E_CODEC for a codec that is not known; E_ABORTED.
 */
export async function findDamage(store: Store, options: DamageOptions = {}): Promise<CacheDamage> {
  const { codecs, signal, onUnit } = options;
  const manifestContent = await manifestBytes(store);
  const manifest = decodeManifest(manifestContent);
  const { extent } = manifest;
  const answers = codedAnswers(extent, codecs);
  const { sealed, seal, digests } = await trusted(store, manifestContent, extent);
  const names = await store.list('');
  const present = new Set(
    names.map(unitOfName).filter((unit) => unit !== undefined && unit < unitCount(extent)) as number[],
  );
  const units = sealed
    ? Array.from({ length: unitCount(extent) }, (_, unit) => unit)
    : [...present].sort((a, b) => a - b);
  if (sealed && digests === undefined && present.size === 0) throw nothingLeft(store);
  const damaged: UnitDamage[] = [];
  for (const [i, unit] of units.entries()) {
    const found = await unitDamage(store, unit, { extent, answers, stated: digests?.get(unit) }, signal);
    if (found !== undefined) damaged.push(found);
    onUnit?.(i + 1, units.length);
  }
  const strangers = strangersAmong(names, units, extent).filter(
    (name) => sealed || !isOpenShard(name, extent),
  );
  return { manifest, manifestContent, answers, sealed, seal, units, damaged, strangers };
}

/** A shard without its unit's record is what an interrupted writer left: the next one removes it. */
const isOpenShard = (name: string, extent: Extent): boolean => {
  const unit = /\/(\d{6,})\.shard$/.exec(name)?.[1];
  return unit !== undefined && Number(unit) < unitCount(extent);
};

const nothingLeft = (store: Store): SoftshardError =>
  new SoftshardError('E_CACHE_CORRUPT', {
    message: 'Nothing of the cache is left but its manifest.',
    where: store.label,
    found: `${MANIFEST_NAME}, and no record of a unit`,
    remedy: 'Remove the folder and teach again.',
  });
