/** The cache: write it, read it, verify it. The format is described in `docs/cache-format.md`. */
export { openCacheForWriting, type CacheWriter, type WriteOptions } from './cache-writer.ts';
export { openCache, type Cache, type ReadOptions } from './cache-reader.ts';
export { type UnitComparison } from './compare-unit.ts';
export { type Targets } from './write-unit.ts';
export {
  byteBlob,
  dtypeOf,
  elementsOf,
  floatBlob,
  type Blob,
  type BlobDtype,
  type ByteBlob,
  type FloatBlob,
  type Target,
} from './target.ts';
export { type PendingObject, type Store } from './store.ts';
export { folderStore } from './folder-store.ts';
export { memoryStore } from './memory-store.ts';
export {
  BUILT_IN_CODECS,
  codecOf,
  codecSpec,
  type ByteBounds,
  type Codec,
  type CodecFactories,
  type CodecFactory,
  type CodecParams,
} from './codec.ts';
export {
  compareExtent,
  compareIdentity,
  compareProvenance,
  firstDifference,
  type Difference,
  type Identity,
  type JsonRecord,
  type Provenance,
} from './identity.ts';
export { type Json } from '../text/canonical-json.ts';
export { placeOf, unitContent, unitCount, type Answer, type Extent, type Place } from './extent.ts';
export { type Manifest, type ManifestContent } from './manifest.ts';
export { type ShardEntry, type UnitRecord } from './unit-record.ts';
export { type CacheIndex, type Seal } from './seal.ts';
export { cacheSchemas, type JsonSchema } from './schemas.ts';
export { CACHE_FORMAT, INDEX_FORMAT, SEAL_FORMAT, SHARD_FORMAT, UNIT_FORMAT, unitName } from './formats.ts';
export { verifyCache, type VerifyOptions, type VerifyReport } from './verify.ts';
export { type CacheProblem } from './findings.ts';
export {
  findDamage,
  type CacheDamage,
  type DamageOptions,
  type ShardDamage,
  type UnitDamage,
} from './damage.ts';
export { mendManifest } from './mend-manifest.ts';
export { lostViews, repairCache, type Recompute, type RepairOptions, type RepairReport } from './repair.ts';
export { bytesText, inspectCache, summaryText, type AnswerSummary, type CacheSummary } from './inspect.ts';
export { followCache, type FollowOptions, type FollowWait } from './follow-cache.ts';
export {
  mergeCaches,
  type Mergeable,
  type MergedCache,
  type MergeRule,
  type MergeSource,
} from './merge-caches.ts';
export { openExtended } from './extensions.ts';
export { unitLeases, type Clock, type Lease, type LeaseOptions, type UnitLeases } from './lease.ts';
export { shareUnits, type ShareOptions } from './share-units.ts';
