/** Reads a cache: any view's answers by ranged reads, each record's crc32 checked. */
import { SoftshardError } from '../errors.ts';
import type { ViewKey } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import type { CodecFactories } from './codec.ts';
import { corrupt, malformed } from './corrupt.ts';
import { sha256Hex } from './document.ts';
import { placeOf, unitCount } from './extent.ts';
import { INDEX_NAME, MANIFEST_NAME, SEAL_NAME, unitName } from './formats.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { codedAnswers, type CodedAnswer } from './part.ts';
import { listUnits, readUnit } from './read-unit.ts';
import { decodeIndex, decodeSeal, type Seal } from './seal.ts';
import { readRecord } from './shard.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import type { UnitRecord } from './unit-record.ts';

export interface ReadOptions {
  /** Codecs by name; the built-in ones by default. */
  readonly codecs?: CodecFactories;
  /** Whether a cache that is not sealed may be read; false by default. */
  readonly allowUnsealed?: boolean;
  /** Whether each record's crc32 is checked; true by default. */
  readonly checkRecords?: boolean;
  /** Unit records kept in memory; 256 by default, each some kilobytes. */
  readonly keptUnits?: number;
  readonly signal?: AbortSignal;
}

export interface Cache {
  readonly manifest: Manifest;
  /** The seal, or undefined for a cache that still grows. */
  readonly seal: Seal | undefined;
  readonly sealed: boolean;
  /** Units that were committed when the cache was opened, ascending. */
  readonly units: readonly number[];
  /** The kinds of answers that the cache holds, in the manifest's order. */
  readonly kinds: readonly string[];
  /**
   * The answers to one view, of all kinds or of those named (of a kind in several codecs, the first). Throws
   * E_CACHE_INCOMPLETE for a view or a kind that is not there, E_CACHE_CORRUPT or E_CACHE_FORMAT naming the record.
   */
  read(sample: number, view: number, kinds?: readonly string[]): Promise<Target>;
  /** Several views' answers in the order of the keys, read eight at a time. */
  readMany(keys: readonly ViewKey[], kinds?: readonly string[]): Promise<Target[]>;
}

const CONCURRENT_READS = 8;

const incomplete = (message: string, where: string, found: string, remedy: string): SoftshardError =>
  new SoftshardError('E_CACHE_INCOMPLETE', { message, where, found, remedy });

const MAKE_AGAIN = 'Run the command that makes the cache again: it writes what is missing.';

/** The manifest's bytes. Throws E_CACHE_FORMAT where there is none. */
export async function manifestBytes(store: Store): Promise<Uint8Array> {
  const content = await store.get(MANIFEST_NAME);
  if (content !== undefined) return content;
  throw malformed(store.label, `no ${MANIFEST_NAME}`, {
    message: 'This is not a cache.',
    remedy: 'Name the folder that the step which makes the cache was given.',
  });
}

/** The sha256 of each unit record, by unit, once SEAL was found to agree with manifest and index. */
async function sealedUnits(store: Store, seal: Seal, manifest: Uint8Array, units: number): Promise<string[]> {
  const index = await store.get(INDEX_NAME);
  if (index === undefined) throw corrupt(INDEX_NAME, 'no such file');
  for (const [name, content, stated] of [
    [MANIFEST_NAME, manifest, seal.manifest],
    [INDEX_NAME, index, seal.index],
  ] as const) {
    const found = sha256Hex(content);
    if (found !== stated) throw corrupt(name, `sha256 ${found}`, { expected: `sha256 ${stated}` });
  }
  const listed = decodeIndex(index).units;
  if (listed.length !== units || listed.some(({ unit }, i) => unit !== i)) {
    throw malformed(INDEX_NAME, `${listed.length} units`, { expected: `units 0 to ${units - 1}, in order` });
  }
  return listed.map(({ sha256 }) => sha256);
}

/** Joins the answers that several parts give to one view. */
export function joinTargets(targets: readonly Target[], where: string): Target {
  const [first, ...others] = targets;
  if (first === undefined) throw malformed(where, 'no answers');
  const blobs = new Map(first.blobs);
  for (const other of others) {
    if (other.inputDigest !== first.inputDigest) {
      throw malformed(where, `answers to two inputs, ${first.inputDigest} and ${other.inputDigest}`);
    }
    for (const [name, blob] of other.blobs) blobs.set(name, blob);
  }
  return { ...first, blobs };
}

/** Opens a cache for reading. Throws E_CACHE_INCOMPLETE unless it is sealed, or `allowUnsealed` is set. */
export async function openCache(store: Store, options: ReadOptions = {}): Promise<Cache> {
  const { codecs, allowUnsealed = false, checkRecords = true, keptUnits = 256, signal } = options;
  const content = await manifestBytes(store);
  const manifest = decodeManifest(content);
  const { extent } = manifest;
  const answers = codedAnswers(extent, codecs);
  const sealContent = await store.get(SEAL_NAME);
  if (sealContent === undefined && !allowUnsealed) {
    throw incomplete('The cache is not finished.', store.label, `no ${SEAL_NAME}`, MAKE_AGAIN);
  }
  const seal = sealContent === undefined ? undefined : decodeSeal(sealContent);
  const digests = seal === undefined ? undefined : await sealedUnits(store, seal, content, unitCount(extent));
  const units = digests === undefined ? await listUnits(store, extent) : [...digests.keys()];
  /** The unit records used last, the latest at the end. */
  const kept = new Map<number, Promise<UnitRecord>>();

  const loadUnit = async (unit: number): Promise<UnitRecord> => {
    const found = await readUnit(store, unit, extent, answers, digests?.[unit]);
    if (found !== undefined) return found.record;
    if (digests !== undefined) throw corrupt(unitName(unit), 'no such file');
    throw incomplete('A unit of the cache is not committed yet.', store.label, unitName(unit), MAKE_AGAIN);
  };
  const unitRecord = (unit: number): Promise<UnitRecord> => {
    const record = kept.get(unit) ?? loadUnit(unit);
    kept.delete(unit);
    kept.set(unit, record);
    // A unit that could not be read may be there at the next try.
    record.catch(() => kept.delete(unit));
    for (const oldest of kept.keys()) {
      if (kept.size <= keptUnits) break;
      kept.delete(oldest);
    }
    return record;
  };

  const chosen = (kinds: readonly string[] | undefined): { answer: CodedAnswer; index: number }[] =>
    (kinds ?? [...new Set(extent.answers.map(({ kind }) => kind))]).map((kind) => {
      const index = answers.findIndex((answer) => answer.kind === kind);
      const answer = answers[index];
      if (answer !== undefined) return { answer, index };
      throw incomplete(
        'The cache holds no answers of that kind.',
        kind,
        answers.map((a) => a.kind).join(', '),
        'Make a cache that holds them, or leave out the loss that needs them.',
      );
    });

  const read = async (sample: number, view: number, kinds?: readonly string[]): Promise<Target> => {
    const where = `sample ${sample}, view ${view}`;
    refuseAborted(signal, where);
    const place = placeOf(extent, sample, view);
    if (place === undefined) {
      const found = `${extent.samples} samples, ${extent.views} views`;
      throw incomplete('The cache does not hold that view.', where, found, 'Make a cache with more views.');
    }
    const unit = await unitRecord(place.unit);
    const parts = chosen(kinds).map(async ({ answer, index }) => {
      const shard = unit.shards[index];
      if (shard === undefined) throw malformed(unitName(place.unit), `no shard ${index}`);
      return readRecord(store, unit, shard, place.position, answer.stored, checkRecords);
    });
    return joinTargets(await Promise.all(parts), where);
  };

  return {
    manifest,
    seal,
    sealed: seal !== undefined,
    units,
    kinds: [...new Set(answers.map(({ kind }) => kind))],
    read,
    readMany: async (keys, kinds) => {
      const targets: Target[] = [];
      for (let start = 0; start < keys.length; start += CONCURRENT_READS) {
        const batch = keys.slice(start, start + CONCURRENT_READS);
        targets.push(...(await Promise.all(batch.map(({ sample, view }) => read(sample, view, kinds)))));
      }
      return targets;
    },
  };
}
