/**
 * Begins a cache or goes on with one: commits units, compares replayed ones, seals. One writer at a time, or several
 * that share the units (`share-units.ts`).
 */
import { isSoftshardError, SoftshardError } from '../errors.ts';
import type { Unit } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import type { CodecFactories } from './codec.ts';
import { compareUnitFiles, type UnitComparison } from './compare-unit.ts';
import { corrupt, malformed } from './corrupt.ts';
import { checkUnit, extentSchema, unitCount, type Extent } from './extent.ts';
import { INDEX_NAME, MANIFEST_NAME, SEAL_NAME } from './formats.ts';
import { compareExtent, compareIdentity, compareProvenance } from './identity.ts';
import { decodeManifest, encodeManifest, type Manifest, type ManifestContent } from './manifest.ts';
import { codedAnswers, type CodedAnswer } from './part.ts';
import { listUnits, readUnit } from './read-unit.ts';
import { encodeIndex, encodeSeal, makeIndex, makeSeal, type CommittedUnit, type Seal } from './seal.ts';
import type { Store } from './store.ts';
import type { UnitRecord } from './unit-record.ts';
import { writeUnitFiles, type Targets } from './write-unit.ts';
import { joinWriters, lockWriter, type WriterLock } from './writer-lock.ts';

export interface WriteOptions extends ManifestContent {
  readonly store: Store;
  /** Folder beside the cache for locks (`NAME.local`); undefined for a store that nobody else can reach. */
  readonly localDir: string | undefined;
  /** Whether other writers of the same cache may be at work that share it too; false by default. */
  readonly shared?: boolean;
  /** Codecs by name; the built-in ones by default. */
  readonly codecs?: CodecFactories;
  /** Aborts writing and comparing with E_ABORTED; what is committed stays. */
  readonly signal?: AbortSignal;
}

export interface CacheWriter {
  readonly manifest: Manifest;
  /** Units that are known to be committed, those of earlier runs included. */
  readonly committed: ReadonlySet<number>;
  /** Looks whether a unit is committed, by whichever writer; then it is among `committed`. */
  isCommitted(unit: number): Promise<boolean>;
  readonly sealed: boolean;
  /** Locks of dead processes that were taken over; empty as a rule. */
  readonly takenOver: readonly string[];
  /**
   * Writes and commits a unit. Targets come in the order of its views and are taken one at a time. Throws E_CODEC,
   * E_DISK_FULL, E_ABORTED; E_INTERNAL when the unit is committed already (compare it instead).
   */
  writeUnit(unit: Unit, targets: Targets): Promise<UnitRecord>;
  /** Compares recomputed answers with a committed unit's, byte for byte. Throws E_CACHE_INCOMPLETE without one. */
  compareUnit(unit: Unit, targets: Targets): Promise<UnitComparison>;
  /** Writes index and SEAL; again is harmless. Throws E_CACHE_INCOMPLETE naming the first unit that is missing. */
  seal(): Promise<Seal>;
  /** Gives the lock back. Always call it. */
  close(): Promise<void>;
}

/** The extent with canonical codec specs. */
const canonicalExtent = (extent: Extent, answers: readonly CodedAnswer[]): Extent => {
  const result = extentSchema.safeParse({
    ...extent,
    answers: answers.map(({ stored: _stored, ...answer }) => answer),
  });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SoftshardError('E_USAGE', {
    message: 'The extent of a cache cannot be used.',
    where: `extent.${issue?.path.map(String).join('.') ?? ''}`,
    found: issue?.message ?? 'unknown',
  });
};

/** Puts the manifest, or compares with the one that is there. */
async function beginOrGoOn(store: Store, content: ManifestContent): Promise<Manifest> {
  const fresh = encodeManifest(content);
  const stored = await store.get(MANIFEST_NAME);
  if (stored === undefined) {
    const strange = (await store.list(''))[0];
    if (strange !== undefined) {
      throw malformed(store.label, `${strange} and no ${MANIFEST_NAME}`, {
        message: 'The folder is neither empty nor a cache.',
        remedy: 'Name an empty or a new folder for the cache.',
      });
    }
    if ((await store.putIfAbsent(MANIFEST_NAME, fresh)) === 'created') return decodeManifest(fresh);
    return beginOrGoOn(store, content);
  }
  const manifest = decodeManifest(stored);
  compareIdentity(content.identity, manifest.identity);
  compareExtent(content.extent, manifest.extent);
  compareProvenance(content.provenance, manifest.provenance);
  return manifest;
}

/** Whether a unit is committed: its record is read, and each of its shards is there in full size. */
async function unitIsWhole(store: Store, extent: Extent, unit: number): Promise<boolean> {
  const committed = await readUnit(store, unit, extent, extent.answers);
  for (const { name, bytes } of committed?.record.shards ?? []) {
    const size = await store.size(name);
    if (size !== bytes) throw corrupt(name, `${size ?? 'no'} bytes`, { expected: `${bytes} bytes` });
  }
  return committed !== undefined;
}

/** Puts a file that is a function of the cache; one that is there must be equal. */
async function putSame(store: Store, name: string, content: Uint8Array): Promise<void> {
  if ((await store.putIfAbsent(name, content)) === 'created') return;
  const stored = await store.get(name);
  if (stored === undefined || Buffer.compare(stored, content) !== 0) {
    throw corrupt(name, 'other bytes than its cache gives');
  }
}

async function sealCache(store: Store, extent: Extent, signal?: AbortSignal): Promise<Seal> {
  const units: CommittedUnit[] = [];
  for (let unit = 0; unit < unitCount(extent); unit++) {
    refuseAborted(signal, SEAL_NAME);
    const committed = await readUnit(store, unit, extent, extent.answers);
    if (committed === undefined) throw missingUnit(unit, extent);
    units.push(committed);
  }
  const manifest = await store.get(MANIFEST_NAME);
  if (manifest === undefined) throw corrupt(MANIFEST_NAME, 'no such file');
  const index = encodeIndex(makeIndex(units));
  await putSame(store, INDEX_NAME, index);
  const seal = makeSeal(manifest, index, units);
  await putSame(store, SEAL_NAME, encodeSeal(seal));
  return seal;
}

const missingUnit = (unit: number, extent: Extent): SoftshardError =>
  new SoftshardError('E_CACHE_INCOMPLETE', {
    message: 'A unit of the cache is not committed.',
    expected: `units 0 to ${unitCount(extent) - 1}`,
    where: `unit ${unit}`,
    remedy: 'Run the command that makes the cache again: it writes what is missing.',
  });

const committedAlready = (unit: number): SoftshardError =>
  new SoftshardError('E_INTERNAL', {
    message: 'A committed unit is never written again.',
    where: `unit ${unit}`,
    remedy: 'Compare it instead.',
  });

/** Takes the lock that the options ask for, and runs `begin` while nobody else writes. */
async function lockFor(
  { localDir, shared }: WriteOptions,
  begin: () => Promise<void>,
): Promise<WriterLock | undefined> {
  if (localDir !== undefined && shared === true) return joinWriters(localDir, begin);
  const lock = localDir === undefined ? undefined : await lockWriter(localDir);
  try {
    await begin();
    return lock;
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** Removes what killed producers left in a finished cache, where no other is at work any more. */
async function sweepAfter(store: Store, localDir: string): Promise<void> {
  try {
    const lock = await lockWriter(localDir);
    await store.sweep();
    await lock.release();
  } catch (error) {
    if (!isSoftshardError(error, 'E_CACHE_LOCKED')) throw error;
  }
}

/**
 * Opens a cache for writing, beginning it when the store is empty. Left-over temporaries of dead writers are removed
 * and nothing else. Throws E_CACHE_LOCKED while another process writes (and does not share); E_CACHE_IDENTITY, E_CACHE_PROVENANCE when the
 * cache is another one; E_CACHE_FORMAT, E_CACHE_CORRUPT when it is damaged; E_CODEC, E_USAGE for a bad extent.
 */
export async function openCacheForWriting(options: WriteOptions): Promise<CacheWriter> {
  const { store, identity, provenance, measured, localDir, codecs, signal } = options;
  const answers = codedAnswers(options.extent, codecs);
  const extent = canonicalExtent(options.extent, answers);
  const content = { identity, provenance, extent, measured };
  const begin = async (): Promise<void> => {
    await store.sweep();
    await beginOrGoOn(store, content);
  };
  const lock = await lockFor(options, begin);
  try {
    const manifest = await beginOrGoOn(store, content);
    const committed = new Set<number>();
    for (const unit of await listUnits(store, extent)) {
      if (await unitIsWhole(store, extent, unit)) committed.add(unit);
    }
    let sealed = (await store.size(SEAL_NAME)) !== undefined;
    const underWay = new Set<number>();
    return {
      manifest,
      committed,
      get sealed() {
        return sealed;
      },
      takenOver: lock?.takenOver ?? [],
      isCommitted: async (unit) => {
        if (!committed.has(unit) && (await unitIsWhole(store, extent, unit))) committed.add(unit);
        return committed.has(unit);
      },
      writeUnit: async (unit, targets) => {
        checkUnit(extent, unit);
        refuseAborted(signal, `unit ${unit.index}`);
        if (sealed || committed.has(unit.index) || underWay.has(unit.index)) {
          throw committedAlready(unit.index);
        }
        underWay.add(unit.index);
        try {
          const record = await writeUnitFiles(store, answers, unit, targets, signal);
          committed.add(unit.index);
          return record;
        } finally {
          underWay.delete(unit.index);
        }
      },
      compareUnit: async (unit, targets) => {
        checkUnit(extent, unit);
        const found = await readUnit(store, unit.index, extent, answers);
        if (found === undefined) throw missingUnit(unit.index, extent);
        return compareUnitFiles(store, answers, unit, found.record, targets, signal);
      },
      seal: async () => {
        const seal = await sealCache(store, extent, signal);
        sealed = true;
        return seal;
      },
      close: async () => {
        await lock?.release();
        if (options.shared === true && localDir !== undefined && sealed) await sweepAfter(store, localDir);
      },
    };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}
