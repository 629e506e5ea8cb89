/** Writes one unit: its shards as the targets come, then its record, whose appearance is the commit. */
import { SoftshardError } from '../errors.ts';
import type { Unit } from '../data/plan.ts';
import { refuseAborted } from './abort.ts';
import { unitName } from './formats.ts';
import { objectSha256 } from './object-hash.ts';
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

const differs = (name: string): SoftshardError =>
  new SoftshardError('E_REPLAY_MISMATCH', {
    message: 'Another process made the same unit with other bytes, which stay as they are.',
    where: name,
    remedy:
      'Check what differs between the processes that share this cache (engine, threads, versions, machine).',
  });

async function openShard(store: Store, answer: CodedAnswer, unit: Unit): Promise<OpenShard> {
  const encoder = shardEncoder(answer, unit.index, unit.view, unit.views.length);
  return { encoder, pending: await store.openWrite(shardName({ view: unit.view, ...answer }, unit.index)) };
}

/**
 * Gives a whole shard its name. One that is there already, since another producer of the same unit was faster or was
 * stopped before its commit, is the same to the byte and stays; one that is not was never committed and goes.
 */
async function placeShard(store: Store, { encoder, pending }: OpenShard, record: string): Promise<void> {
  const { name, bytes, sha256 } = encoder.entry();
  const isThere = async (): Promise<boolean> =>
    (await store.size(name)) === bytes && (await objectSha256(store, name, bytes)) === sha256;
  if ((await store.size(name)) !== undefined && !(await isThere())) {
    if ((await store.size(record)) !== undefined) throw differs(name);
    await store.delete(name);
  }
  // Whoever gave it its name, it is durable once this has returned.
  if ((await pending.commit()) === 'exists' && !(await isThere())) throw differs(name);
}

/**
 * Writes and commits a unit. Holds one target's encoded bytes at a time. Where another producer commits the same bytes
 * meanwhile, that is as good; other bytes are E_REPLAY_MISMATCH. On any failure, aborting included, nothing of the unit
 * stays but at most whole shards that the next attempt takes over.
 */
export async function writeUnitFiles(
  store: Store,
  answers: readonly CodedAnswer[],
  unit: Unit,
  targets: Targets,
  signal?: AbortSignal,
): Promise<UnitRecord> {
  const name = unitName(unit.index);
  const shards: OpenShard[] = [];
  try {
    for (const answer of answers) shards.push(await openShard(store, answer, unit));
    for (const { encoder, pending } of shards) await pending.write(encoder.header);
    for await (const { target } of inOrder(unit, targets, answers, signal)) {
      for (const { encoder, pending } of shards) await pending.write(encoder.add(target));
    }
    for (const shard of shards) await placeShard(store, shard, name);
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
  const content = encodeUnitRecord(record);
  if ((await store.putIfAbsent(name, content)) === 'exists') {
    const committed = await store.get(name);
    if (committed === undefined || Buffer.compare(committed, content) !== 0) throw differs(name);
  }
  return record;
}
