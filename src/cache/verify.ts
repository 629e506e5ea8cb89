/** Checks every byte of a cache against its digests, up to SEAL, and names what disagrees. */
import { manifestBytes } from './cache-reader.ts';
import { sha256Hex } from './document.ts';
import { unitCount, type Extent } from './extent.ts';
import { Findings, type CacheProblem } from './findings.ts';
import { extensionPrefix, extensionStores } from './extensions.ts';
import { prefixedStore } from './prefixed-store.ts';
import { EXTENSIONS_PREFIX, INDEX_NAME, MANIFEST_NAME, SEAL_NAME, unitName, unitOfName } from './formats.ts';
import { decodeManifest } from './manifest.ts';
import { readUnit } from './read-unit.ts';
import {
  decodeIndex,
  decodeSeal,
  makeIndex,
  makeSeal,
  type CacheIndex,
  type CommittedUnit,
  type Seal,
} from './seal.ts';
import type { Store } from './store.ts';
import { strangersAmong } from './strangers.ts';
import { verifyShard } from './verify-shard.ts';

export interface VerifyReport {
  readonly sealed: boolean;
  /** Files and bytes that were read. */
  readonly files: number;
  readonly bytes: number;
  /** Empty when every byte is as it was written. */
  readonly problems: readonly CacheProblem[];
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** Told after each unit: how many are done, of how many. */
  readonly onUnit?: (done: number, total: number) => void;
}

/** What SEAL and index state, as far as they can be read. */
interface Stated {
  readonly seal?: Seal;
  readonly index?: CacheIndex;
  readonly indexContent?: Uint8Array;
}

async function readSeal(store: Store, manifest: Uint8Array, findings: Findings): Promise<Stated> {
  const sealContent = await findings.load(store, SEAL_NAME);
  if (sealContent === undefined) return {};
  const seal = await findings.attempt(SEAL_NAME, () => decodeSeal(sealContent));
  if (seal === undefined) return {};
  if (sha256Hex(manifest) !== seal.manifest) {
    findings.add(MANIFEST_NAME, `Its sha256 is ${sha256Hex(manifest)}, and ${seal.manifest} was written.`);
  }
  const indexContent = await findings.load(store, INDEX_NAME, seal.index);
  if (indexContent === undefined) return { seal };
  const index = await findings.attempt(INDEX_NAME, () => decodeIndex(indexContent));
  return index === undefined ? { seal } : { seal, index, indexContent };
}

/** Whether index and SEAL agree with files that each agree with the digest stated beside it. */
function checkTotals(stated: Stated, manifest: Uint8Array, units: CommittedUnit[], findings: Findings): void {
  const { seal, index, indexContent } = stated;
  if (seal === undefined || index === undefined || indexContent === undefined) return;
  const parts = new Map(index.parts.map((part) => [part.folder, part]));
  for (const { folder, bytes, shards, sha256 } of makeIndex(units).parts) {
    const part = parts.get(folder);
    if (part?.sha256 !== sha256 || part.bytes !== bytes || part.shards !== shards) {
      findings.add(
        INDEX_NAME,
        `The digest of ${folder} is ${sha256}, and ${part?.sha256 ?? 'none'} was written.`,
      );
    }
  }
  const whole = makeSeal(manifest, indexContent, units);
  if (whole.tree !== seal.tree || whole.files !== seal.files || whole.bytes !== seal.bytes) {
    findings.add(SEAL_NAME, `The digest of the tree is ${whole.tree}, and ${seal.tree} was written.`);
  }
}

/** Checks one unit's record and its shards. */
async function verifyUnit(
  store: Store,
  unit: number,
  extent: Extent,
  stated: string | undefined,
  findings: Findings,
  signal?: AbortSignal,
): Promise<CommittedUnit | undefined> {
  const found = await findings.attempt(unitName(unit), async () =>
    readUnit(store, unit, extent, extent.answers, stated),
  );
  if (found === undefined) return undefined;
  findings.files++;
  findings.bytes += found.file.bytes;
  for (const shard of found.record.shards) {
    await findings.attempt(shard.name, async () => verifyShard(store, found.record, shard, findings, signal));
  }
  return found;
}

/** Verifies each extension as the cache that it is. */
async function verifyExtensions(
  store: Store,
  names: readonly string[],
  options: VerifyOptions,
  findings: Findings,
): Promise<void> {
  const prefixes = (await extensionStores(store)).map((_, i) => extensionPrefix(i + 1));
  for (const prefix of prefixes) {
    const { files, bytes, problems } = await verifyCache(prefixedStore(store, prefix), options);
    findings.files += files;
    findings.bytes += bytes;
    for (const { file, what, code } of problems) findings.add(prefix + file, what, code);
  }
  const isStrange = (name: string): boolean =>
    name.startsWith(EXTENSIONS_PREFIX) && !prefixes.some((prefix) => name.startsWith(prefix));
  for (const name of names.filter(isStrange))
    findings.add(name, 'The file does not belong to the cache.', 'E_CACHE_FORMAT');
}

/**
 * Reads the whole cache, extensions included. A cache that is not sealed is a problem of SEAL, and its committed units are checked all
 * the same. Never throws for what is wrong with the cache; throws E_ABORTED.
 */
export async function verifyCache(store: Store, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { signal, onUnit } = options;
  const findings = new Findings();
  const report = (sealed: boolean): VerifyReport => ({
    sealed,
    files: findings.files,
    bytes: findings.bytes,
    problems: findings.problems,
  });
  const manifest = await findings.attempt(MANIFEST_NAME, async () => manifestBytes(store));
  if (manifest === undefined) return report(false);
  findings.files++;
  findings.bytes += manifest.byteLength;
  const decoded = await findings.attempt(MANIFEST_NAME, () => decodeManifest(manifest));
  if (decoded === undefined) return report(false);
  const { extent } = decoded;
  const stated = await readSeal(store, manifest, findings);

  // The loop runs over what is there and what the index lists, never over what an extent merely claims.
  const names = await store.list('');
  const present = names
    .map(unitOfName)
    .filter((unit) => unit !== undefined)
    .filter((unit) => unit < unitCount(extent))
    .sort((a, b) => a - b);
  const digests = new Map(stated.index?.units.map(({ unit, sha256 }) => [unit, sha256]));
  if (stated.index !== undefined && digests.size !== unitCount(extent)) {
    findings.add(INDEX_NAME, `It lists ${digests.size} units of ${unitCount(extent)}.`, 'E_CACHE_FORMAT');
  }
  const there = new Set(present);
  for (const unit of digests.keys()) {
    if (!there.has(unit)) findings.add(unitName(unit), 'The file is missing.');
  }
  const units: CommittedUnit[] = [];
  for (const [i, unit] of present.entries()) {
    const found = await verifyUnit(store, unit, extent, digests.get(unit), findings, signal);
    if (found !== undefined) units.push(found);
    onUnit?.(i + 1, present.length);
  }
  for (const name of strangersAmong(names, present, extent))
    findings.add(name, 'The file does not belong to the cache.', 'E_CACHE_FORMAT');
  if (findings.problems.length === 0) checkTotals(stated, manifest, units, findings);
  await verifyExtensions(store, names, options, findings);
  return report(stated.seal !== undefined);
}
