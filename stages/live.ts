/**
 * The teacher in a process of its own beside the student's: it answers over a channel, in the batches of `teach`, and
 * writes nothing. `softshard train --live-teacher FILE` starts it; it stands where the stage `cached` stands in `teach`.
 */
import { encodeManifest } from '../src/cache/manifest.ts';
import { codedAnswers } from '../src/cache/part.ts';
import { SoftshardError } from '../src/errors.ts';
import { openChannel, type Channel } from '../src/flow/channel.ts';
import { softshardHome } from '../src/engine/install/home.ts';
import { createCredits } from '../src/flow/credits.ts';
import { once } from '../src/flow/once.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { HEAD_CODECS } from '../src/head-codec/codecs.ts';
import { chain } from '../src/stage.ts';
import { liveAnswers } from '../src/teach/live-answers.ts';
import { liveOptionsSchema, type LiveOptions } from '../src/teach/live-options.ts';
import type { EngineOpener } from '../src/teach/load-teacher.ts';
import { openViews, teachingBytes } from '../src/teach/open-views.ts';
import { prepareTeaching, type PreparedTeaching } from '../src/teach/prepare-teaching.ts';
import type { RunningTeacher } from '../src/teach/running-teacher.ts';
import { serveAnswers } from '../src/teach/serve-answers.ts';
import { settleAnswers } from '../src/teach/settle-answers.ts';
import { teacherMaker } from '../src/teach/teach-provenance.ts';
import { decode } from './decode.ts';
import { teach } from './teach.ts';

const MB = 1024 * 1024;

/** What a live teacher did. */
export interface LiveResult {
  /** Views that it was asked for, and views that it saw for that: more, where answers had to be forgotten. */
  readonly asked: number;
  readonly seen: number;
}

/** Answers over `channel` until its other end closes. */
export async function runLive(
  options: LiveOptions,
  channel: Channel,
  context: StepContext,
): Promise<LiveResult> {
  const engine = once(() => openStepEngine(options));
  const teaching = await prepareTeaching(options, { ...context, checks: imageCheckStore() }, engine);
  try {
    return await livePrepared(teaching, options, channel, context, engine);
  } finally {
    await teaching.teacher.close();
  }
}

async function livePrepared(
  teaching: PreparedTeaching,
  options: LiveOptions,
  channel: Channel,
  context: StepContext,
  engine: EngineOpener,
): Promise<LiveResult> {
  const { prepared, teacher, bounds, detections, identity, extent } = teaching;
  const { plan, recordOf } = prepared;
  const { teachBatch } = options;
  const { signal } = context;
  const made = await teacherMaker(teacher, engine);
  context.info(`teacher ${options.weights} on ${made.text}`);
  const views = await openViews(teaching, options, {
    ...{ memory: process.availableMemory(), home: softshardHome(), signal },
  });
  const viewBytes = teachingBytes(teaching);
  const credits = createCredits(options.credits * MB);
  // With room for two batches one is decoded while the other is answered.
  const concurrency = credits.total >= 2 * teachBatch * viewBytes ? 2 : 1;
  let running: RunningTeacher | undefined;
  try {
    running = await teacher.start();
    const settled = await settleAnswers({
      ...{ options, extent, bounds, plan, teacher, running, decoder: views.decoder, recordOf, signal },
      ops: async () => (await engine()).engine.ops,
      begun: false,
      info: (message) => context.info(message),
    });
    const answers = codedAnswers(settled.extent, HEAD_CODECS);
    const live = liveAnswers({
      ...{ plan, teachBatch, answers, concurrency, keepBytes: options.keep * MB },
      source: chain(
        decode({ decoder: views.decoder, recordOf, viewBytes, ahead: teachBatch, batch: teachBatch }),
        teach({ teacher: running, teachBatch, detections }),
      ),
      context: { credits, signal, emit: (event) => context.emit(event) },
    });
    await channel.send(
      encodeManifest({
        identity,
        provenance: made.provenance(teachBatch, views.versions),
        ...settled,
        extent: { ...settled.extent, answers: answers.map(({ stored: _, ...answer }) => answer) },
      }),
    );
    await serveAnswers(channel, live, signal);
    return live.counts;
  } finally {
    await running?.dispose();
    await views.close();
  }
}

export const command = defineStep({
  name: 'live',
  summary: 'Answers a training over a channel; softshard train --live-teacher starts it.',
  options: liveOptionsSchema,
  // Whoever starts it sets the environment of the recorded threads.
  environment: 'none',
  run: async (options, context) => {
    const channel = openChannel();
    if (channel === undefined) {
      throw new SoftshardError('E_USAGE', {
        message: 'A live teacher answers a training, and none has started this one.',
        remedy: 'Use softshard train --live-teacher FILE.',
      });
    }
    return runLive(options, channel, context);
  },
  describe: ({ asked, seen }) => `answered for ${asked} views, ran on ${seen}`,
});

stepMain(import.meta.url, command);
