/**
 * A teacher's answers to whichever views are asked for, made in the very batches in which `teach` makes them: the bits
 * of an answer depend on the batch's composition. What a batch answers besides is kept for later, within bounds.
 */
import { encodeRecord } from '../cache/record.ts';
import type { CodedAnswer } from '../cache/part.ts';
import type { Target } from '../cache/target.ts';
import type { Plan, Unit, ViewKey } from '../data/plan.ts';
import { SoftshardError } from '../errors.ts';
import { createCredits } from '../flow/credits.ts';
import { eachValueFrom } from '../flow/each-value-from.ts';
import { workOn, type Source, type StageContext } from '../stage.ts';
import { batchOf } from './teach-batch.ts';
import { keptRecords, type ViewRecords } from './kept-records.ts';
import type { Question } from './live-message.ts';

/** A target that holds memory until it is encoded. */
interface LeasedTarget extends Target {
  release?(): void;
}

export interface LiveAnswersOptions {
  readonly plan: Plan;
  /** Views a forward pass. */
  readonly teachBatch: number;
  /** The chain that answers the views of one batch. */
  readonly source: Source<LeasedTarget>;
  readonly context: StageContext;
  /** Every kind of answer with its codec. */
  readonly answers: readonly CodedAnswer[];
  /** Bytes of encoded answers that are kept until they are asked for. */
  readonly keepBytes: number;
  /** Batches in work at once: one is decoded while another is answered. */
  readonly concurrency: number;
}

export interface LiveAnswers {
  /** The records that answer a question: for each view one a kind. Rejects as the chain does. */
  recordsOf(question: Question): Promise<Uint8Array[]>;
  /** Views that were asked for, and views that the teacher saw, so far. */
  readonly counts: { readonly asked: number; readonly seen: number };
}

const nameOf = ({ sample, view }: ViewKey): string => `${sample}/${view}`;

/** Answers from `source`, batch by batch. */
export function liveAnswers(options: LiveAnswersOptions): LiveAnswers {
  const { plan, teachBatch, source, context, answers } = options;
  const kept = keptRecords(options.keepBytes);
  const lanes = createCredits(options.concurrency);
  const inWork = new Map<string, Promise<ReadonlyMap<string, ViewRecords>>>();
  const counts = { asked: 0, seen: 0 };

  const compute = async (batch: Unit): Promise<ReadonlyMap<string, ViewRecords>> => {
    const lane = await lanes.acquire(1, context.signal);
    const records = new Map<string, ViewRecords>();
    try {
      for await (const target of eachValueFrom(source(workOn(batch), context))) {
        try {
          const ofView = answers.map(({ kind, blobs, stored }) => {
            return [kind, encodeRecord(target, blobs, stored)] as const;
          });
          records.set(nameOf(target), new Map(ofView));
        } finally {
          target.release?.();
        }
      }
    } finally {
      lane.release();
    }
    counts.seen += batch.views.length;
    return records;
  };
  const batchWith = (key: ViewKey): Promise<ReadonlyMap<string, ViewRecords>> => {
    const batch = batchOf(plan, teachBatch, key);
    const [first = key] = batch.views;
    const name = nameOf(first);
    const known = inWork.get(name);
    if (known !== undefined) return known;
    const work = compute(batch).then((records) => {
      for (const [view, ofView] of records) kept.put(view, ofView, false);
      return records;
    });
    inWork.set(name, work);
    const done = (): boolean => inWork.delete(name);
    work.then(done, done);
    return work;
  };

  return {
    counts,
    recordsOf: async ({ keys, kinds }) => {
      counts.asked += keys.length;
      const views = keys.map(async (key) => {
        const name = nameOf(key);
        const records = kept.take(name) ?? (await batchWith(key)).get(name);
        // Asked for now, and so the first to be forgotten.
        kept.take(name);
        return kinds.map((kind) => {
          const record = records?.get(kind);
          if (record !== undefined) return record;
          throw new SoftshardError('E_CACHE_INCOMPLETE', {
            message: 'The live teacher gives no answers of that kind.',
            where: `sample ${key.sample}, view ${key.view}`,
            expected: answers.map((answer) => answer.kind).join(', '),
            found: kind,
          });
        });
      });
      return (await Promise.all(views)).flat();
    },
  };
}
