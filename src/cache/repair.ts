/**
 * Repairs a cache in its place: what is damaged is written anew from what is whole and from recomputed answers, and
 * only where the result has the digests that were written. Good files keep their very bytes.
 */
import { SoftshardError } from '../errors.ts';
import type { Unit } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import { corrupt } from './corrupt.ts';
import type { CacheDamage, UnitDamage } from './damage.ts';
import { sha256Hex } from './document.ts';
import { unitContent, unitCount } from './extent.ts';
import { INDEX_NAME, SEAL_NAME, unitName } from './formats.ts';
import { objectSha256 } from './object-hash.ts';
import type { CodedAnswer } from './part.ts';
import { encodeRecord, storedCrc } from './record.ts';
import { readUnit } from './read-unit.ts';
import { encodeIndex, encodeSeal, makeIndex, makeSeal, type CommittedUnit } from './seal.ts';
import { readRecordBytes, recordPlace, shardEncoder } from './shard.ts';
import type { PendingObject, Store } from './store.ts';
import type { Target } from './target.ts';
import { encodeUnitRecord, type ShardEntry, type UnitRecord } from './unit-record.ts';

/** Recomputes the answers to the views at `positions` (ascending) of a unit, in their order. */
export type Recompute = (unit: Unit, positions: readonly number[]) => AsyncIterable<Target>;

export interface RepairOptions {
  readonly store: Store;
  readonly damage: CacheDamage;
  /** Needed where `lostViews` is above 0. */
  readonly recompute?: Recompute | undefined;
  /** Moves a file that is none of the cache's out of it; such files stay without it. */
  readonly setAside?: ((name: string) => Promise<void>) | undefined;
  readonly signal?: AbortSignal;
  /** Told after each repaired unit. */
  readonly onUnit?: (unit: number, views: number) => void;
}

export interface RepairReport {
  /** Files that were written anew, or moved out of the cache. */
  readonly repaired: readonly string[];
  /** Views whose answers were recomputed. */
  readonly recomputed: number;
  readonly sealed: boolean;
}

/** Positions of a unit whose answers must be recomputed, ascending. */
export const lostPositions = ({ shards }: UnitDamage): number[] =>
  [...new Set(shards.flatMap(({ positions }) => positions))].sort((a, b) => a - b);

/** Views whose answers must be recomputed. */
export const lostViews = ({ damaged }: CacheDamage): number =>
  damaged.reduce((n, unit) => n + lostPositions(unit).length, 0);

const differs = (where: string, expected: string, found: string): SoftshardError =>
  new SoftshardError('E_REPLAY_MISMATCH', {
    message: 'What was recomputed differs from what was written; the damaged file stays as it is.',
    where,
    expected,
    found,
    remedy:
      'Repair with the engine, the builds and the settings that inspect shows, or teach again into a new folder.',
  });

/** Gives a finished object its name, in the place of what is damaged. */
async function replace(store: Store, name: string, pending: PendingObject): Promise<void> {
  if (pending.replace !== undefined) return pending.replace();
  await store.delete(name);
  await pending.commit();
}

async function replaceBytes(store: Store, name: string, bytes: Uint8Array): Promise<void> {
  const pending = await store.openWrite(name);
  await pending.write(bytes);
  await replace(store, name, pending);
}

interface OpenShard {
  readonly answer: CodedAnswer;
  readonly entry: ShardEntry | undefined;
  readonly lost: ReadonlySet<number>;
  readonly encoder: ReturnType<typeof shardEncoder>;
  readonly pending: PendingObject;
}

/** Writes a unit's damaged shards, and its record where that is damaged. */
class UnitRepair {
  readonly repaired: string[] = [];
  private readonly store: Store;
  private readonly damage: UnitDamage;
  private readonly unit: Unit;

  constructor(store: Store, damage: UnitDamage, unit: Unit) {
    this.store = store;
    this.damage = damage;
    this.unit = unit;
  }

  /** The record of a shard at a position: the stored one where it is whole, else that of the recomputed target. */
  private async recordAt(
    shard: OpenShard,
    position: number,
    target: Target | undefined,
  ): Promise<Uint8Array> {
    const { answer, entry, lost } = shard;
    const { record } = this.damage;
    if (!lost.has(position) && record !== undefined && entry !== undefined)
      return readRecordBytes(this.store, record, entry, position);
    if (target === undefined) throw new Error('a lost view was not recomputed');
    const fresh = encodeRecord(target, answer.blobs, answer.stored);
    const [, length, crc] = entry?.records[position] ?? [];
    const found = storedCrc(fresh, answer.kind);
    if (record !== undefined && entry !== undefined && (fresh.byteLength !== length || found !== crc)) {
      throw differs(
        recordPlace(record, entry, position),
        `${String(length)} bytes of crc32 ${String(crc?.toString(16))}`,
        `${fresh.byteLength} bytes of crc32 ${found.toString(16)}`,
      );
    }
    return fresh;
  }

  private async open(answers: readonly CodedAnswer[]): Promise<OpenShard[]> {
    const { index, view, views } = this.unit;
    const open: OpenShard[] = [];
    for (const { answer: i, positions } of this.damage.shards) {
      const answer = answers[i];
      if (answer === undefined) continue;
      const encoder = shardEncoder(answer, index, view, views.length);
      const pending = await this.store.openWrite(encoder.entry().name);
      await pending.write(encoder.header);
      open.push({ answer, entry: this.damage.record?.shards[i], lost: new Set(positions), encoder, pending });
    }
    return open;
  }

  async run(
    answers: readonly CodedAnswer[],
    recompute: Recompute | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const lost = lostPositions(this.damage);
    const open = await this.open(answers);
    try {
      const targets = lost.length === 0 ? undefined : recompute?.(this.unit, lost)[Symbol.asyncIterator]();
      for (let position = 0; position < this.unit.views.length; position++) {
        refuseAborted(signal, `unit ${this.unit.index}`);
        const isLost = lost.includes(position);
        const next = isLost ? await targets?.next() : undefined;
        const target = next?.done === false ? next.value : undefined;
        for (const shard of open) {
          await shard.pending.write(shard.encoder.addRecord(await this.recordAt(shard, position, target)));
        }
      }
      await targets?.return?.();
      const record = this.recordOf(answers, open);
      for (const shard of open) await this.finish(shard);
      if (this.damage.recordFile) {
        await replaceBytes(this.store, unitName(this.unit.index), encodeUnitRecord(record));
        this.repaired.push(unitName(this.unit.index));
      }
    } catch (error) {
      for (const { pending } of open) await pending.abort();
      throw error;
    }
  }

  /** The unit's record, held to every digest that was written of it. */
  private recordOf(answers: readonly CodedAnswer[], open: readonly OpenShard[]): UnitRecord {
    const { record, stated } = this.damage;
    const { index, view, views } = this.unit;
    for (const { entry, encoder } of open) {
      const { name, sha256 } = encoder.entry();
      if (entry !== undefined && entry.sha256 !== sha256)
        throw differs(name, `sha256 ${entry.sha256}`, sha256);
    }
    const fresh = record ?? {
      unit: index,
      view,
      samples: views.map(({ sample }) => sample),
      shards: answers.map((_, i) => {
        const entry = open[i]?.encoder.entry();
        if (entry === undefined) throw new Error('a lost unit without one of its shards');
        return entry;
      }),
    };
    const found = sha256Hex(encodeUnitRecord(fresh));
    if (this.damage.recordFile && stated !== undefined && found !== stated)
      throw differs(unitName(index), `sha256 ${stated}`, `sha256 ${found}`);
    return fresh;
  }

  private async finish({ encoder, pending }: OpenShard): Promise<void> {
    const { name, bytes, sha256 } = encoder.entry();
    const size = await this.store.size(name);
    if (size === bytes && (await objectSha256(this.store, name, bytes)) === sha256) {
      // Of a unit whose record was lost, a shard may have been whole.
      await pending.abort();
      return;
    }
    await replace(this.store, name, pending);
    this.repaired.push(name);
  }
}

/** Writes index and SEAL where they are not what the units give. */
async function sealAgain({ store, damage, signal }: RepairOptions): Promise<string[]> {
  const { manifest, manifestContent, seal: stated } = damage;
  const { extent } = manifest;
  const units: CommittedUnit[] = [];
  for (let unit = 0; unit < unitCount(extent); unit++) {
    refuseAborted(signal, SEAL_NAME);
    const found = await readUnit(store, unit, extent, extent.answers);
    if (found === undefined) throw corrupt(unitName(unit), 'no such file');
    units.push(found);
  }
  const index = encodeIndex(makeIndex(units));
  if (stated !== undefined && stated.index !== sha256Hex(index))
    throw differs(INDEX_NAME, `sha256 ${stated.index}`, `sha256 ${sha256Hex(index)}`);
  const repaired: string[] = [];
  for (const [name, content] of [
    [INDEX_NAME, index],
    [SEAL_NAME, encodeSeal(makeSeal(manifestContent, index, units))],
  ] as const) {
    const found = await store.get(name);
    if (found !== undefined && Buffer.compare(found, content) === 0) continue;
    await replaceBytes(store, name, content);
    repaired.push(name);
  }
  return repaired;
}

/**
 * Repairs what `damage` says. Units are repaired one by one, each file in its place at once: after a kill the same
 * repair again does the rest. A cache that was sealed is sealed again. Throws E_REPLAY_MISMATCH, having replaced nothing
 * of the unit, where recomputed answers are not those that were written; E_USAGE where answers are lost and there is no
 * `recompute`; E_ABORTED.
 */
export async function repairCache(options: RepairOptions): Promise<RepairReport> {
  const { store, damage, recompute, setAside, signal, onUnit } = options;
  const { answers, manifest, damaged, strangers, sealed } = damage;
  if (lostViews(damage) > 0 && recompute === undefined) {
    throw new SoftshardError('E_USAGE', {
      message: 'Answers of the cache are lost, which only the teacher can give again.',
      where: damaged.map(({ unit }) => unitName(unit)).join(', '),
      found: `${lostViews(damage)} views are lost`,
      remedy: 'Give the teacher and the images: softshard repair CACHE --weights FILE --data DATA.',
    });
  }
  const repaired: string[] = [];
  for (const unit of damaged) {
    const { view, samples } = unitContent(manifest.extent, unit.unit);
    const views = samples.map((sample) => ({ sample, view }));
    const repair = new UnitRepair(store, unit, { index: unit.unit, view, views });
    await repair.run(answers, recompute, signal);
    repaired.push(...repair.repaired);
    onUnit?.(unit.unit, lostPositions(unit).length);
  }
  for (const name of setAside === undefined ? [] : strangers) {
    await setAside?.(name);
    repaired.push(name);
  }
  if (sealed) repaired.push(...(await sealAgain(options)));
  return { repaired, recomputed: lostViews(damage), sealed };
}
