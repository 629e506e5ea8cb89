/**
 * Runs the teacher once over every view and caches its answers.
 *
 *     softshard teach --weights yolov5n.pt --data coco128.yaml --imgsz 320 --cache cache/yolov5n
 *
 * The same command again finds what is committed and makes the rest; a finished cache is found at once. Started twice
 * at the same time, the processes share the work.
 */
import { resolve } from 'node:path';
import { bufferCount, concatAll, concatMap, map, type Observable } from 'rxjs';
import { openCacheForWriting, type CacheWriter } from '../src/cache/cache-writer.ts';
import { openCache } from '../src/cache/cache-reader.ts';
import { folderStore } from '../src/cache/folder-store.ts';
import { clearWanted, wantedUnits } from '../src/cache/follow-cache.ts';
import { compareExtent, compareIdentity, compareProvenance } from '../src/cache/identity.ts';
import { bytesText } from '../src/cache/inspect.ts';
import { unitLeases } from '../src/cache/lease.ts';
import { mayLive, newEntry } from '../src/cache/lock-entry.ts';
import type { Manifest } from '../src/cache/manifest.ts';
import { shareUnits } from '../src/cache/share-units.ts';
import type { Store } from '../src/cache/store.ts';
import { softshardHome } from '../src/engine/install/home.ts';
import { createCredits } from '../src/flow/credits.ts';
import { monotonicClock } from '../src/flow/monotonic-clock.ts';
import { chooseEngine } from '../src/flow/engine-choice.ts';
import { once } from '../src/flow/once.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { EVENT_FORMAT, type SoftshardEvent } from '../src/flow/events.ts';
import { runUnits } from '../src/flow/run-units.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { HEAD_CODECS } from '../src/head-codec/codecs.ts';
import { chain, type Stage } from '../src/stage.ts';
import { answerViews, targetsOf } from '../src/teach/answer-views.ts';
import { refuseFullDisk } from '../src/teach/free-space.ts';
import { selectUnits } from '../src/teach/prepare-plan.ts';
import type { EngineOpener } from '../src/teach/load-teacher.ts';
import { openViews, teachingBytes } from '../src/teach/open-views.ts';
import { prepareTeaching, type PreparedTeaching } from '../src/teach/prepare-teaching.ts';
import { engineOfCache, threadsOfCache } from '../src/teach/recorded-engine.ts';
import { busyTeacher, type RunningTeacher } from '../src/teach/running-teacher.ts';
import { settleAnswers } from '../src/teach/settle-answers.ts';
import type { DetectionAnswers } from '../src/teach/teacher-detections.ts';
import { teacherMaker } from '../src/teach/teach-provenance.ts';
import { teachOptionsSchema, type TeachStepOptions } from '../src/teach/teach-options.ts';
import { cached, type LeasedTarget, type UnitOutcome } from './cached.ts';
import { decode, type LeasedView } from './decode.ts';

export interface TeachOptions {
  /** Views a forward pass of the teacher, always: what is missing is filled with the last view. */
  readonly teachBatch: number;
  /** Who answers: `engineTeacher(model, hints)` makes one of a model. */
  readonly teacher: Pick<RunningTeacher, 'answer'>;
  /** Given, detections are answered in place of the heads. */
  readonly detections?: DetectionAnswers | undefined;
}

/** How long a unit stays with a process that was stopped, where it cannot be told that it is dead. */
const LEASE_MS = 60_000;

/** The stage: views in, the teacher's answers out, in order; batches never cross a unit. */
export function teach({ teacher, teachBatch, detections }: TeachOptions): Stage<LeasedView, LeasedTarget> {
  const answer = async (views: readonly LeasedView[]): Promise<LeasedTarget[]> =>
    targetsOf(await answerViews(teacher, teachBatch, views), detections).map((target, i) => ({
      ...target,
      release: () => views[i]?.release(),
    }));
  return ({ items }): Observable<LeasedTarget> =>
    items.pipe(bufferCount(teachBatch), concatMap(answer), concatAll());
}

/** A teacher's stage, of whose answers only these blobs are kept: an extension stores some of them. */
function keepBlobs(
  stage: Stage<LeasedView, LeasedTarget>,
  names: readonly string[],
): Stage<LeasedView, LeasedTarget> {
  const kept = new Set(names);
  const only = (target: LeasedTarget): LeasedTarget => ({
    ...target,
    blobs: new Map([...target.blobs].filter(([name]) => kept.has(name))),
  });
  return (work, context) => stage(work, context).pipe(map(only));
}

/** What `teach` leaves behind. */
export interface TeachResult {
  readonly cache: string;
  readonly units: number;
  readonly found: number;
  readonly written: number;
  readonly equal: number;
  readonly sealed: boolean;
  /** Bytes of the answers at most, as planned. */
  readonly bytes: number;
}

/** Where a teaching writes. */
export interface TeachPlace {
  readonly store: Store;
  /** The store beside it: for leases. */
  readonly beside: Store;
  /** The cache that is extended, where one is: its makers' settings are demanded. */
  readonly base?: Manifest;
}

/** Teaches as the options say. */
export async function runTeach(options: TeachStepOptions, context: StepContext): Promise<TeachResult> {
  const engine = once(async () => openStepEngine(options, await engineOfCache(options.cache)));
  const threads = options.threads ?? (await threadsOfCache(options.cache));
  const teaching = await prepareTeaching(
    { ...options, threads },
    { ...context, checks: imageCheckStore() },
    engine,
  );
  const place = { store: folderStore(options.cache), beside: folderStore(`${options.cache}.local`) };
  try {
    return await teachInto(place, teaching, options, context, engine);
  } finally {
    await teaching.teacher.close();
  }
}

/** Makes what is prepared, as far as it is not there. */
export async function teachInto(
  { store, beside, base }: TeachPlace,
  teaching: PreparedTeaching,
  options: TeachStepOptions,
  context: StepContext,
  engine: EngineOpener,
): Promise<TeachResult> {
  const { prepared, teacher, planned, bytes, bounds, detections, identity, extent } = teaching;
  const { dataset, plan, imageSize } = prepared;
  const { teachBatch, workers } = options;
  const units = selectUnits(plan, options.units);
  context.emit({
    type: 'start',
    version: EVENT_FORMAT,
    message: `teacher ${options.weights}: ${plan.samples * plan.views} views of ${dataset.samples.length} images at ${imageSize}, ${bytesText(planned.viewBytes)} a view, ${bytesText(bytes)} in all`,
    total: units.length,
  });

  const result = (found: number, written: number, equal: number, sealed: boolean): TeachResult => ({
    ...{ cache: resolve(options.cache), units: plan.units.length },
    ...{ found, written, equal, sealed, bytes },
  });
  if (options.units === undefined && (await store.get('SEAL')) !== undefined) {
    // A finished cache is told by its identity alone: no engine is needed to find it.
    const cache = await openCache(store, { signal: context.signal, codecs: HEAD_CODECS });
    compareIdentity(identity, cache.manifest.identity);
    compareExtent(extent, cache.manifest.extent);
    context.info(`found the finished cache ${options.cache}: nothing to teach`);
    return result(plan.units.length, 0, 0, true);
  }
  const committed = (await store.list('units/')).length / plan.units.length;
  await refuseFullDisk(options.cache, Math.ceil(bytes * Math.max(0, 1 - committed)));
  const made = await teacherMaker(teacher, engine);
  context.info(made.text);
  const views = await openViews(teaching, options, {
    ...{ memory: process.availableMemory(), home: softshardHome(), signal: context.signal },
  });
  let running: RunningTeacher | undefined;
  let writer: CacheWriter | undefined;
  const counts = { written: 0, found: 0, equal: 0 };
  let busy = 0;
  try {
    running = await teacher.start();
    const settled = await settleAnswers({
      ...{ options, extent, bounds, plan, teacher, running, decoder: views.decoder },
      ops: async () => (await engine()).engine.ops,
      recordOf: prepared.recordOf,
      begun: base !== undefined || (await store.size('cache.json')) !== undefined,
      signal: context.signal,
      info: (message) => context.info(message),
    });
    const provenance = made.provenance(teachBatch, views.versions);
    if (base !== undefined) compareProvenance(provenance, base.provenance);
    writer = await openCacheForWriting({
      store,
      localDir: `${options.cache}.local`,
      shared: true,
      identity,
      provenance,
      ...settled,
      codecs: HEAD_CODECS,
      signal: context.signal,
    });
    const stage = cached(
      chain(
        decode({
          decoder: views.decoder,
          recordOf: prepared.recordOf,
          viewBytes: teachingBytes(teaching),
          ahead: teachBatch + workers,
          batch: teachBatch,
        }),
        keepBlobs(
          teach({
            teacher: busyTeacher(
              running,
              () => performance.now(),
              (ms) => (busy += ms),
            ),
            teachBatch,
            detections,
          }),
          extent.answers.flatMap((answer) => answer.blobs),
        ),
      ),
      writer,
      { replay: options.units !== undefined },
    );
    const begin = performance.now();
    let madeViews = 0;
    const flow = {
      credits: createCredits(options.credits * 1024 * 1024),
      emit: (event: SoftshardEvent) => context.emit(event),
      signal: context.signal,
    };
    const onOutcome = (outcome: UnitOutcome): void => {
      counts[outcome.state] += 1;
      if (outcome.state !== 'found') madeViews += outcome.views;
      const elapsed = performance.now() - begin;
      const rate = madeViews / (elapsed / 1000);
      const dataWait = Math.max(0, 1 - busy / elapsed);
      const left = units.length - counts.written - counts.found - counts.equal;
      context.emit({
        type: 'unit',
        ...outcome,
        total: plan.units.length,
        bytes: outcome.views * planned.viewBytes,
        ...(madeViews > 0 ? { rate, dataWait, etaS: (left * plan.unitViews) / rate } : {}),
      });
    };
    const leases = unitLeases({
      ...{ store: beside, clock: monotonicClock, expiryMs: LEASE_MS, mayLive },
      owner: newEntry('shared'),
    });
    const sharing = { wanted: () => wantedUnits(beside), signal: context.signal };
    let waitsFor = 0;
    const onWait = (left: number): void => {
      if (left !== waitsFor) context.info(`waiting for ${left} units that other processes make`);
      waitsFor = left;
    };
    for await (const unit of shareUnits({ units, writer, leases, onWait, ...sharing })) {
      await runUnits([unit], stage, flow).forEach(onOutcome);
    }
    const complete = writer.committed.size === plan.units.length;
    if (complete) {
      await writer.seal();
      await leases.clear();
      await clearWanted(beside);
    }
    return result(counts.found, counts.written, counts.equal, complete);
  } finally {
    await running?.dispose();
    await views.close();
    await writer?.close();
  }
}

export const command = defineStep({
  name: 'teach',
  summary: 'Runs the teacher once over every view and caches its answers. The same command again resumes.',
  options: teachOptionsSchema,
  environment: async (options) => chooseEngine(options, await engineOfCache(options.cache), process.env),
  run: runTeach,
  describe: ({ cache, units, found, written, equal, sealed }) =>
    [
      `${cache}: ${units} units, ${written} written, ${found} found${equal > 0 ? `, ${equal} recomputed and equal` : ''}`,
      sealed
        ? 'the cache is complete and sealed'
        : 'the cache is not complete yet: the same command without --units goes on',
    ].join('\n'),
});

stepMain(import.meta.url, command);
