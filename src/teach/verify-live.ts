/** Holds a cache to its teacher: some views are computed again, in their very batches, and compared. */
import { recordPlace } from '../cache/shard.ts';
import { readUnit } from '../cache/read-unit.ts';
import { codedAnswers } from '../cache/part.ts';
import type { Cache } from '../cache/cache-reader.ts';
import { placeOf } from '../cache/extent.ts';
import type { CacheProblem } from '../cache/findings.ts';
import { decodeRecord, encodeRecord } from '../cache/record.ts';
import { readRecordBytes } from '../cache/shard.ts';
import type { Store } from '../cache/store.ts';
import { floatBlob, type Target } from '../cache/target.ts';
import { makePlan, type ViewKey } from '../data/plan.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { drawKey } from '../random/keyed.ts';
import { permutedIndex } from '../random/permuted-index.ts';
import { shortJson } from '../text/canonical-json.ts';
import { batchOf } from './teach-batch.ts';
import type { RecordedTeacher } from './recorded-teacher.ts';

/**
 * Largest relative l2 distance of a blob's decoded values by codec, where provenance differs. Another engine or build
 * adds in another order, which leaves below 1e-3 after a network's depth, or rounds products shorter (TF32: below 5e-3);
 * a quantised value near the border of its step then moves by a whole step.
 */
export const LIVE_TOLERANCE: Readonly<Record<string, number>> = {
  fp32: 5e-3,
  fp16: 5e-3,
  int8: 2e-2,
  sparse: 5e-2,
};

export interface LiveReport {
  /** Views that were recomputed. */
  readonly views: number;
  /** Whether every byte had to be equal: so where provenance is. */
  readonly exact: boolean;
  /** The first field of provenance that differs; null without one. */
  readonly difference: string | null;
  /** Largest relative l2 distance of a blob, by codec; 0 where bytes are equal. */
  readonly largest: Readonly<Record<string, number>>;
  readonly problems: readonly CacheProblem[];
}

export interface VerifyLiveOptions {
  readonly store: Store;
  readonly cache: Cache;
  readonly teacher: Pick<RecordedTeacher, 'answer' | 'teachBatch' | 'difference'>;
  /** Views, drawn without repetition among those that are committed. */
  readonly count: number;
  readonly seed: number;
  readonly onView?: (done: number, total: number) => void;
}

/** The views that are recomputed: keyed, so that anyone checks the same ones with the same seed. */
export function liveViewKeys(cache: Cache, count: number, seed: number): ViewKey[] {
  const { samples, views } = cache.manifest.extent;
  const units = new Set(cache.units);
  const key = drawKey(seed, 'live-views');
  const keys: ViewKey[] = [];
  for (let i = 0; i < samples * views && keys.length < count; i++) {
    const place = permutedIndex(key, samples * views, i);
    const view = { sample: place % samples, view: Math.floor(place / samples) };
    const unit = placeOf(cache.manifest.extent, view.sample, view.view)?.unit;
    if (unit !== undefined && units.has(unit)) keys.push(view);
  }
  return keys;
}

/** |a - b| / |b| over all values, l2; 0 where both are zero. */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let square = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    const right = b[i] ?? 0;
    square += ((a[i] ?? 0) - right) ** 2;
    norm += right ** 2;
  }
  return square === 0 ? 0 : Math.sqrt(square / norm);
}

/** What differs of one record, in words; undefined where it is as it should be. Raises `largest`. */
function difference(
  stored: Target,
  fresh: Target,
  codec: string,
  exact: boolean,
  largest: Record<string, number>,
): string | undefined {
  if (stored.inputDigest !== fresh.inputDigest)
    return `The teacher saw pixels of digest ${stored.inputDigest}, and they are ${fresh.inputDigest} now: an image or its decoder changed.`;
  if (JSON.stringify(stored.record) !== JSON.stringify(fresh.record)) return 'It is drawn otherwise now.';
  const tolerance = LIVE_TOLERANCE[codec] ?? 0;
  for (const name of stored.blobs.keys()) {
    const distance = relativeDistance(floatBlob(stored, name).data, floatBlob(fresh, name).data);
    largest[codec] = Math.max(largest[codec] ?? 0, distance);
    if (exact)
      return `Its ${name} differs by ${distance.toPrecision(2)} (relative l2), and the same engine and builds give the same bytes.`;
    if (!(distance <= tolerance))
      return `Its ${name} differs by ${distance.toPrecision(2)} (relative l2), and another engine or build may cause ${tolerance}.`;
  }
  return exact ? 'It is encoded otherwise now.' : undefined;
}

/** Recomputes and compares. Throws as reading and the teacher do. */
export async function verifyLive(options: VerifyLiveOptions): Promise<LiveReport> {
  const { store, cache, teacher, count, seed, onView } = options;
  const { extent } = cache.manifest;
  const answers = codedAnswers(extent, HEAD_CODECS);
  const plan = makePlan(extent);
  const exact = teacher.difference === undefined;
  const largest: Record<string, number> = {};
  const problems: CacheProblem[] = [];
  const keys = liveViewKeys(cache, count, seed);
  for (const [i, key] of keys.entries()) {
    const place = placeOf(extent, key.sample, key.view);
    const unit = place && (await readUnit(store, place.unit, extent, answers));
    if (place === undefined || unit === undefined) continue;
    const fresh = (await teacher.answer(batchOf(plan, teacher.teachBatch, key))).find(
      ({ sample }) => sample === key.sample,
    );
    for (const [a, { blobs, stored: codec }] of answers.entries()) {
      const shard = unit.record.shards[a];
      if (fresh === undefined || shard === undefined) continue;
      const bytes = await readRecordBytes(store, unit.record, shard, place.position);
      const encoded = encodeRecord(fresh, blobs, codec);
      largest[codec.name] ??= 0;
      if (Buffer.compare(bytes, encoded) === 0) continue;
      const where = recordPlace(unit.record, shard, place.position);
      const what = difference(
        decodeRecord(bytes, codec, where),
        decodeRecord(encoded, codec, 'recomputed'),
        codec.name,
        exact,
        largest,
      );
      if (what !== undefined) problems.push({ file: where, code: 'E_REPLAY_MISMATCH', what });
    }
    onView?.(i + 1, keys.length);
  }
  const { path, expected, found } = teacher.difference ?? { path: '', expected: undefined, found: undefined };
  return {
    views: keys.length,
    exact,
    difference: exact ? null : `${path}: ${shortJson(found)} -> ${shortJson(expected)}`,
    largest,
    problems,
  };
}

/** The report for a person. */
export const liveText = ({ views, exact, difference: differs, largest, problems }: LiveReport): string =>
  [
    problems.length === 0
      ? `${views} views were recomputed: ${exact ? 'equal to the byte' : 'equal within the tolerance'}`
      : `${views} views were recomputed, and some differ`,
    ...(exact
      ? []
      : [
          `  not to the byte, since provenance differs (${differs ?? ''}); relative l2, largest and allowed: ${Object.entries(
            largest,
          )
            .map(([codec, value]) => `${codec} ${value.toPrecision(2)} of ${LIVE_TOLERANCE[codec] ?? 0}`)
            .join(', ')}`,
        ]),
  ].join('\n');
