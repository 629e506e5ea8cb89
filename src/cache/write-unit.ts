/** Writes one unit: its shards as the targets come, then its record, whose appearance is the commit. */
import { SoftshardError } from '../errors.ts';
import type { Unit } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import { unitName } from './formats.ts';
import { shardName, type CodedAnswer } from './part.ts';
import { shardEncoder } from './shard.ts';
import type { PendingObject, Store } from './store.ts';
import type { Target } from './target.ts';
import { encodeUnitRecord, type UnitRecord } from './unit-record.ts';

/** Targets in the order of the unit's views, as they come. */
export type Targets = Iterable<Target> | AsyncIterable<Target>;

const outOfOrder = (unit: Unit, position: number, found: string): SoftshardError => {
  const key = unit.views[position];
  return new SoftshardError('E_INTERNAL', {
    message: 'The answers to a unit are not those of its views, in their order.',
    expected: key === undefined ? `${unit.views.length} answers` : `sample ${key.sample}, view ${key.view}`,
    found,
    where: `unit ${unit.index}, position ${position}`,
  });
};

/**
 * Passes the targets on with their positions. Throws E_INTERNAL when they are not the answers to the unit's views
 * in order, or hold a blob that no answer of the cache names; E_ABORTED.
 */
export async function* inOrder(
  unit: Unit,
  targets: Targets,
  answers: readonly CodedAnswer[],
  signal?: AbortSignal,
): AsyncGenerator<{ readonly target: Target; readonly position: number }, void, undefined> {
  const known = new Set(answers.flatMap((answer) => answer.blobs));
  let position = 0;
  for await (const target of targets) {
    refuseAborted(signal, `unit ${unit.index}`);
    const key = unit.views[position];
    if (key?.sample !== target.sample || key.view !== target.view) {
      throw outOfOrder(unit, position, `sample ${target.sample}, view ${target.view}`);
    }
    const stranger = [...target.blobs.keys()].find((name) => !known.has(name));
    if (stranger !== undefined) {
      throw outOfOrder(unit, position, `a blob ${stranger} that the extent does not name`);
    }
    yield { target, position };
    position++;
  }
  refuseAborted(signal, `unit ${unit.index}`);
  if (position !== unit.views.length) throw outOfOrder(unit, position, `an end after ${position} answers`);
}

interface OpenShard {
  readonly encoder: ReturnType<typeof shardEncoder>;
  readonly pending: PendingObject;
}

const taken = (name: string): SoftshardError =>
  new SoftshardError('E_CACHE_LOCKED', {
    message: 'Another process wrote the same unit at the same time.',
    where: name,
    remedy: 'Run the same command again once no other process writes this cache.',
  });

async function openShard(store: Store, answer: CodedAnswer, unit: Unit): Promise<OpenShard> {
  const encoder = shardEncoder(answer, unit.index, unit.view, unit.views.length);
  const name = shardName({ view: unit.view, ...answer }, unit.index);
  // A shard without its unit's record was never committed: it is what an interrupted writer left behind.
  await store.delete(name);
  return { encoder, pending: await store.openWrite(name) };
}

/**
 * Writes and commits a unit that is not committed yet. Holds one target's encoded bytes at a time. On any failure,
 * aborting included, nothing of the unit stays but at most shards that the next attempt removes.
 */
export async function writeUnitFiles(
  store: Store,
  answers: readonly CodedAnswer[],
  unit: Unit,
  targets: Targets,
  signal?: AbortSignal,
): Promise<UnitRecord> {
  const name = unitName(unit.index);
  if ((await store.size(name)) !== undefined) throw taken(name);
  const shards: OpenShard[] = [];
  try {
    for (const answer of answers) shards.push(await openShard(store, answer, unit));
    for (const { encoder, pending } of shards) await pending.write(encoder.header);
    for await (const { target } of inOrder(unit, targets, answers, signal)) {
      for (const { encoder, pending } of shards) await pending.write(encoder.add(target));
    }
    for (const { encoder, pending } of shards) {
      if ((await pending.commit()) === 'exists') throw taken(encoder.entry().name);
    }
  } catch (error) {
    for (const { pending } of shards) await pending.abort();
    throw error;
  }
  const record: UnitRecord = {
    unit: unit.index,
    view: unit.view,
    samples: unit.views.map((key) => key.sample),
    shards: shards.map(({ encoder }) => encoder.entry()),
  };
  if ((await store.putIfAbsent(name, encodeUnitRecord(record))) === 'exists') throw taken(name);
  return record;
}
