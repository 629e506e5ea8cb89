/** The probe of `plan --estimate`: the chain of `teach` over some of its batches, with nothing kept. */
import { createViewDecoder } from '../src/augment/view-decoder.ts';
import { codedAnswers } from '../src/cache/part.ts';
import { decodeRecord, encodeRecord } from '../src/cache/record.ts';
import { encodeManifest } from '../src/cache/manifest.ts';
import { decoderVersions } from '../src/data/decoder-versions.ts';
import type { Plan, ViewKey } from '../src/data/plan.ts';
import { createCredits } from '../src/flow/credits.ts';
import { eachValueFrom } from '../src/flow/each-value-from.ts';
import { once } from '../src/flow/once.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import type { StepContext } from '../src/flow/step-main.ts';
import { HEAD_CODECS } from '../src/head-codec/codecs.ts';
import { drawKey } from '../src/random/keyed.ts';
import { permutedIndex } from '../src/random/permuted-index.ts';
import { chain, workOn } from '../src/stage.ts';
import { estimateTeaching, meanUncertainty, probedBytes, type Estimate } from '../src/teach/estimate.ts';
import { teachingBytes } from '../src/teach/open-views.ts';
import { prepareTeaching } from '../src/teach/prepare-teaching.ts';
import { probeDisk } from '../src/teach/probe-disk.ts';
import { teacherMaker } from '../src/teach/teach-provenance.ts';
import type { TeachStepOptions } from '../src/teach/teach-options.ts';
import { decode } from './decode.ts';
import { teach } from './teach.ts';

/** SEAL's bytes. */
const SEAL_BYTES = 420;
/** Where the bytes are known well enough, and the least time for the rate. */
const ENOUGH = 0.005;
const LEAST_MS = 5000;

export interface ProbeOptions {
  readonly probeSeconds: number;
  readonly studentRate: number;
}

/** The views of the plan's batches, in keyed order of the batches; those that are not full come last. */
function probeViews(plan: Plan, teachBatch: number, seed: number): ViewKey[] {
  const batches = plan.units.flatMap(({ views }) =>
    Array.from({ length: Math.ceil(views.length / teachBatch) }, (_, i) =>
      views.slice(i * teachBatch, (i + 1) * teachBatch),
    ),
  );
  const key = drawKey(seed, 'probe-views');
  const drawn = batches.map((_, i) => batches[permutedIndex(key, batches.length, i)] ?? []);
  return drawn.sort((a, b) => Number(b.length === teachBatch) - Number(a.length === teachBatch)).flat();
}

/** Teaches some views and measures. Throws as teaching does. */
export async function probeTeaching(
  options: TeachStepOptions,
  { probeSeconds, studentRate }: ProbeOptions,
  context: StepContext,
): Promise<Estimate> {
  const engine = once(() => openStepEngine(options));
  const teaching = await prepareTeaching(options, context, engine);
  const { prepared, teacher, detections, identity, extent } = teaching;
  const { dataset, plan, imageSize, recordOf } = prepared;
  const { teachBatch, workers } = options;
  const diskBytesPerSecond = await probeDisk(options.cache, () => performance.now());
  const made = await teacherMaker(teacher, engine);
  const answers = codedAnswers(extent, HEAD_CODECS);
  const viewBytes = teachingBytes(teaching);
  const decoder = createViewDecoder({
    dataset,
    workers,
    slots: 2 * (teachBatch + workers),
    viewBytes: imageSize * imageSize * 3,
  });
  const running = await teacher.start();
  const source = chain(
    decode({ decoder, recordOf, viewBytes, ahead: teachBatch + workers, batch: teachBatch }),
    teach({ teacher: running, teachBatch, detections }),
  );
  const records: number[][] = answers.map(() => []);
  let decodeMs = 0;
  let views = 0;
  let begin = performance.now();
  let after = 0;
  const population = plan.samples * plan.views;
  try {
    const unit = { index: 0, view: 0, views: probeViews(plan, teachBatch, options.seed) };
    const stageContext = {
      ...{ signal: context.signal, credits: createCredits(options.credits * 1024 * 1024) },
      emit: () => undefined,
    };
    for await (const target of eachValueFrom(source(workOn(unit), stageContext))) {
      for (const [a, { blobs, stored }] of answers.entries()) {
        const record = encodeRecord(target, blobs, stored);
        records[a]?.push(record.byteLength);
        if (views % teachBatch !== 0) continue;
        const from = performance.now();
        decodeRecord(record, stored, 'probe');
        const took = performance.now() - from;
        decodeMs += took;
        // Teaching itself decodes nothing.
        begin += took;
      }
      target.release?.();
      views++;
      // The first batch pays for what happens once.
      if (views === teachBatch) [begin, after] = [performance.now(), views];
      const elapsed = performance.now() - begin;
      const isEnough = meanUncertainty(probedBytes({ records }), population) <= ENOUGH && elapsed >= LEAST_MS;
      if (views % teachBatch === 0 && views >= 2 * teachBatch && (isEnough || elapsed >= probeSeconds * 1000))
        break;
    }
  } finally {
    await running.dispose();
    await decoder.close();
  }
  const seconds = Math.max(1e-6, (performance.now() - begin) / 1000);
  const measured = views > after ? views - after : views;
  const provenance = made.provenance(teachBatch, decoderVersions());
  return estimateTeaching({
    ...{ plan, answers, studentViewsPerSecond: studentRate },
    fixedBytes: encodeManifest({ identity, provenance, extent }).byteLength + SEAL_BYTES,
    probe: {
      records,
      viewsPerSecond: measured / seconds,
      decodeSeconds: decodeMs / 1000 / Math.max(1, Math.ceil(views / teachBatch)),
      diskBytesPerSecond,
    },
  });
}
