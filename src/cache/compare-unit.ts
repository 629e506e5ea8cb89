/** Replay: recomputed answers against the committed ones, byte for byte, without writing anything. */
import type { Unit, ViewKey } from '../data/plan.ts';
import type { CodedAnswer } from './part.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { readRecordBytes, recordPlace } from './shard.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import type { UnitRecord } from './unit-record.ts';
import { inOrder, type Targets } from './write-unit.ts';

/** What a replay found: all equal, or the first view whose answer differs, and in what. */
export type UnitComparison =
  | { readonly equal: true; readonly views: number }
  | {
      readonly equal: false;
      readonly firstView: ViewKey;
      /** Position of that view in the unit, 0-based. */
      readonly position: number;
      readonly kind: string;
      /** `input`, `record`, or the name of the first blob that differs. */
      readonly what: string;
    };

const bytesOf = (data: Float32Array | Uint8Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Names the first thing in which two records of one view differ. */
function whatDiffers(stored: Target, fresh: Target): string {
  if (stored.inputDigest !== fresh.inputDigest) return 'input';
  if (JSON.stringify(stored.record) !== JSON.stringify(fresh.record)) return 'record';
  for (const [name, blob] of stored.blobs) {
    const other = fresh.blobs.get(name);
    const equal =
      other?.shape.join() === blob.shape.join() &&
      Buffer.compare(bytesOf(blob.data), bytesOf(other.data)) === 0;
    if (!equal) return name;
  }
  return 'encoding';
}

/** Compares; stops at the first difference. Throws what reading the committed unit throws. */
export async function compareUnitFiles(
  store: Store,
  answers: readonly CodedAnswer[],
  unit: Unit,
  committed: UnitRecord,
  targets: Targets,
  signal?: AbortSignal,
): Promise<UnitComparison> {
  for await (const { target, position } of inOrder(unit, targets, answers, signal)) {
    for (const [i, { kind, blobs, stored: codec }] of answers.entries()) {
      const shard = committed.shards[i];
      if (shard === undefined) continue;
      const stored = await readRecordBytes(store, committed, shard, position);
      const fresh = encodeRecord(target, blobs, codec);
      if (Buffer.compare(stored, fresh) === 0) continue;
      const where = recordPlace(committed, shard, position);
      const what = whatDiffers(decodeRecord(stored, codec, where), decodeRecord(fresh, codec, 'replay'));
      return { equal: false, firstView: { sample: target.sample, view: target.view }, position, kind, what };
    }
  }
  return { equal: true, views: unit.views.length };
}
