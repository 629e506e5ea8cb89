/**
 * Runs the teacher once over every view and caches its answers.
 *
 *     softshard teach --weights yolov5n.pt --data coco128.yaml --imgsz 320 --cache cache/yolov5n
 *
 * The same command again finds what is committed and makes the rest; a finished cache is found at once.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { bufferCount, mergeMap, type Observable } from 'rxjs';
import { z } from 'zod';
import { encodeView } from '../src/augment/view-codec.ts';
import { createViewDecoder } from '../src/augment/view-decoder.ts';
import { openCacheForWriting } from '../src/cache/cache-writer.ts';
import { manifestBytes, openCache } from '../src/cache/cache-reader.ts';
import { codecOf } from '../src/cache/codec.ts';
import { folderStore } from '../src/cache/folder-store.ts';
import { compareExtent, compareIdentity } from '../src/cache/identity.ts';
import { bytesText } from '../src/cache/inspect.ts';
import { decodeManifest } from '../src/cache/manifest.ts';
import type { Blob } from '../src/cache/target.ts';
import { decoderVersions } from '../src/data/decoder-versions.ts';
import type { EngineInfo } from '../src/engine/engine.ts';
import { ENGINE_NAMES, openEngine } from '../src/engine/select.ts';
import { SoftshardError } from '../src/errors.ts';
import { loadModel } from '../src/evaluate/load-model.ts';
import { createCredits } from '../src/flow/credits.ts';
import { timed } from '../src/flow/busy-time.ts';
import { runUnits } from '../src/flow/run-units.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { createInference, headWithAnchors, type InferenceModel } from '../src/model/inference.ts';
import { chain, type Stage } from '../src/stage.ts';
import { featureKind, headBlob, HEADS_KIND } from '../src/teach/answers.ts';
import { answerShapes } from '../src/teach/answer-shapes.ts';
import { refuseFullDisk } from '../src/teach/free-space.ts';
import { openPixelShards } from '../src/teach/pixel-shards.ts';
import { preparePlan, selectUnits, viewPlanOptions } from '../src/teach/prepare-plan.ts';
import { teacherIdentity } from '../src/teach/teacher-cache.ts';
import { teacherDigest } from '../src/weights/teacher-digest.ts';
import { writePixels } from '../src/train/batch.ts';
import { cached, type LeasedTarget } from './cached.ts';
import { decode, type LeasedView } from './decode.ts';

export interface TeachOptions {
  readonly model: Pick<InferenceModel, 'forward'>;
  /** Views a forward pass, always: a unit's last batch is padded with its last view. */
  readonly teachBatch: number;
  /** Layers whose outputs are cached beside the heads. */
  readonly hints: readonly number[];
}

/** Cuts image `index` of a batched tensor's values. */
const answerOf = (values: Float32Array, shape: readonly number[], index: number): Blob => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: values.slice(index * size, (index + 1) * size) };
};

function refuseNonFinite(name: string, { data }: Blob, view: LeasedView): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new SoftshardError('E_DIVERGED', {
      message: 'The teacher answered with a value that is not finite.',
      where: `sample ${view.record.sample}, view ${view.record.view}, ${name}`,
      expected: 'finite logits and features',
      found: String(data[i]),
      remedy: 'Check the teacher: softshard evaluate --weights FILE.',
    });
  }
}

/** The stage: views in, the teacher's answers out, in order; batches never cross a unit. */
export function teach({ model, teachBatch, hints }: TeachOptions): Stage<LeasedView, LeasedTarget> {
  const answer = (views: readonly LeasedView[]): LeasedTarget[] => {
    const [first] = views;
    if (first === undefined) return [];
    const { width, height } = first.record;
    const pixels = new Float32Array(teachBatch * width * height * 3);
    for (let i = 0; i < teachBatch; i++) {
      writePixels((views[Math.min(i, views.length - 1)] ?? first).pixels, pixels, i);
    }
    const x = tf.tensor4d(pixels, [teachBatch, height, width, 3]);
    const { heads, features } = model.forward(x, hints);
    const named = [
      ...heads.map((tensor, level) => [headBlob(level), tensor] as const),
      ...[...features].map(([layer, tensor]) => [featureKind(layer), tensor] as const),
    ].map(([name, tensor]) => ({
      name,
      shape: tensor.shape.slice(1),
      values: tensor.dataSync<'float32'>(),
    }));
    tf.dispose([x, ...heads, ...features.values()]);
    return views.map((view, i) => {
      const blobs = new Map<string, Blob>();
      for (const { name, shape, values } of named) {
        const blob = answerOf(values, shape, i);
        refuseNonFinite(name, blob, view);
        blobs.set(name, blob);
      }
      return {
        sample: view.record.sample,
        view: view.record.view,
        inputDigest: view.pixelDigest,
        record: encodeView(view.record),
        blobs,
        release: () => view.release(),
      };
    });
  };
  return ({ items }): Observable<LeasedTarget> => items.pipe(bufferCount(teachBatch), mergeMap(answer));
}

const optionsSchema = z.strictObject({
  weights: z.string().describe('the teacher: .pt, safetensors, or a checkpoint'),
  cfg: z.string().optional().describe('model yaml, for weights that do not hold their description'),
  ...viewPlanOptions,
  cache: z.string().describe('folder of the cache'),
  hints: z.array(z.int().min(0)).default([]).describe('layers whose features are cached, such as 4,6,9'),
  codec: z.string().default('fp16').describe('how answers are stored: fp16, fp32 (lossless)'),
  units: z
    .string()
    .optional()
    .describe('only these units, A-B, 0-based and inclusive; committed ones are recomputed and compared'),
  teachBatch: z.int().min(1).default(8).describe('views a forward pass of the teacher'),
  from: z.string().optional().describe('pixel shards of softshard decode to read instead of decoding'),
  workers: z.int().min(0).default(1).describe('decoding threads; 0 decodes in the main thread'),
  threads: z.int().min(1).optional().describe('threads of the engine; those of the machine by default'),
  engine: z.enum(ENGINE_NAMES).optional().describe('engine; the best there is by default'),
  credits: z
    .int()
    .min(1)
    .default(1024)
    .describe('memory for views and answers in flight')
    .meta({ unit: 'MB' }),
});

type Options = z.output<typeof optionsSchema>;

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

const provenanceOf = (
  info: EngineInfo,
  options: Options,
  versions: ReturnType<typeof decoderVersions>,
): Record<string, string | number | boolean> => ({
  engine: info.name,
  tfjs: info.tfjs,
  tensorflow: info.tensorflow ?? 'none',
  device: info.device,
  threads: info.threads,
  isa: info.isa,
  teachBatch: options.teachBatch,
  foldedBatchNorm: true,
  ...versions,
  node: process.version,
  v8: process.versions.v8,
});

/** Teaches as the options say. */
export async function runTeach(options: Options, context: StepContext): Promise<TeachResult> {
  const prepared = await preparePlan(options, context);
  const { dataset, plan, imageSize } = prepared;
  const loaded = await loadModel({
    weights: options.weights,
    cfg: options.cfg,
    ...(dataset.namesKnown ? { defaultNames: dataset.names } : {}),
  });
  const { graph, state } = loaded;
  const head = headWithAnchors(graph, state);
  if (dataset.namesKnown && dataset.names.length !== head.nc) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The teacher knows other classes than the data set.',
      where: options.weights,
      expected: `${dataset.names.length} classes (${dataset.names.slice(0, 5).join(', ')}...)`,
      found: `${head.nc} classes (${head.names.slice(0, 5).join(', ')}...)`,
      remedy: 'Use a teacher that was trained on these classes.',
    });
  }
  const shapes = answerShapes(graph, head, imageSize, options.hints);
  const answers = [
    { kind: HEADS_KIND, blobs: head.strides.map((_, level) => headBlob(level)), codec: options.codec },
    ...options.hints.map((layer) => ({
      kind: featureKind(layer),
      blobs: [featureKind(layer)],
      codec: options.codec,
    })),
  ];
  const codec = codecOf(options.codec);
  const viewAnswerBytes = [...shapes.values()].reduce((sum, shape) => sum + codec.boundsBytes(shape).max, 0);
  const bytes = viewAnswerBytes * plan.samples * plan.views;
  const identity = teacherIdentity({
    dataset,
    seed: options.seed,
    augmentation: prepared.augmentation,
    imageSize,
    digest: teacherDigest(state, JSON.parse(JSON.stringify(graph.yaml))),
    graph,
    head,
    hints: options.hints,
  });
  const extent = { samples: plan.samples, unitViews: plan.unitViews, views: plan.views, answers };
  const units = selectUnits(plan, options.units);
  const store = folderStore(options.cache);
  context.emit({
    type: 'start',
    version: { format: 'softshard-events', major: 1, minor: 0 },
    message: `teacher ${options.weights}: ${plan.samples * plan.views} views of ${dataset.samples.length} images at ${imageSize}, ${bytesText(viewAnswerBytes)} a view, ${bytesText(bytes)} in all`,
    total: units.length,
  });

  const result = (found: number, written: number, equal: number, sealed: boolean): TeachResult => ({
    cache: resolve(options.cache),
    units: plan.units.length,
    found,
    written,
    equal,
    sealed,
    bytes,
  });
  if (options.units === undefined && (await store.get('SEAL')) !== undefined) {
    // A finished cache is told by its identity alone: no engine is needed to find it.
    const cache = await openCache(store, { signal: context.signal });
    compareIdentity(identity, cache.manifest.identity);
    compareExtent(extent, cache.manifest.extent);
    context.info(`found the finished cache ${options.cache}: nothing to teach`);
    return result(plan.units.length, 0, 0, true);
  }
  const committed = (await store.list('units/')).length / plan.units.length;
  await refuseFullDisk(options.cache, Math.ceil(bytes * Math.max(0, 1 - committed)));
  const shards =
    options.from === undefined
      ? undefined
      : await openPixelShards(options.from, prepared.identity, context.signal);

  const { engine, reason } = await openEngine(
    options.engine,
    options.threads === undefined ? {} : { threads: options.threads },
  );
  context.info(
    `engine ${engine.info.name} on ${engine.info.device} (${reason}), ${engine.info.threads} threads`,
  );
  const writer = await openCacheForWriting({
    store,
    localDir: `${options.cache}.local`,
    identity,
    provenance: provenanceOf(engine.info, options, shards?.versions ?? decoderVersions()),
    extent,
    signal: context.signal,
  });
  const pixelBytes = imageSize * imageSize * 3;
  const answerValues = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  // Pixels as bytes and floats, answers as floats twice (the batch and its copy) and encoded.
  const viewBytes = pixelBytes * 5 + answerValues * 8 + viewAnswerBytes;
  const decoder =
    shards === undefined
      ? createViewDecoder({
          dataset,
          workers: options.workers,
          slots: 2 * options.teachBatch + 2 * options.workers,
          viewBytes: pixelBytes,
        })
      : undefined;
  const source = shards?.decoder ?? decoder;
  if (source === undefined) throw new Error('there is neither a decoder nor pixel shards');
  const model = createInference(graph, state, engine.ops);
  const counts = { written: 0, found: 0, equal: 0 };
  let busy = 0;
  try {
    const stage = cached(
      chain(
        decode({
          decoder: source,
          recordOf: prepared.recordOf,
          viewBytes,
          ahead: options.teachBatch + options.workers,
          batch: options.teachBatch,
        }),
        timed(
          teach({ model, teachBatch: options.teachBatch, hints: options.hints }),
          () => performance.now(),
          (ms) => (busy += ms),
        ),
      ),
      writer,
      { replay: options.units !== undefined },
    );
    const begin = performance.now();
    let views = 0;
    await new Promise<void>((done, reject) =>
      runUnits(units, stage, {
        credits: createCredits(options.credits * 1024 * 1024),
        emit: (event) => context.emit(event),
        signal: context.signal,
      }).subscribe({
        next: (outcome) => {
          counts[outcome.state] += 1;
          if (outcome.state !== 'found') views += outcome.views;
          const elapsed = performance.now() - begin;
          const rate = views / (elapsed / 1000);
          const dataWait = Math.max(0, 1 - busy / elapsed);
          const left = units.length - counts.written - counts.found - counts.equal;
          context.emit({
            type: 'unit',
            ...outcome,
            total: plan.units.length,
            bytes: outcome.views * viewAnswerBytes,
            ...(views > 0 ? { rate, dataWait, etaS: (left * plan.unitViews) / rate } : {}),
          });
        },
        error: reject,
        complete: done,
      }),
    );
    const complete = writer.committed.size === plan.units.length;
    if (complete) await writer.seal();
    return result(counts.found, counts.written, counts.equal, complete);
  } finally {
    model.dispose();
    await decoder?.close();
    await writer.close();
  }
}

/** Threads and ISA that began the cache, so that a resumed one has the same. */
async function recordedEnvironment(options: Options): Promise<{ threads: number; isa: string }> {
  const fallback = { threads: options.threads ?? availableParallelism(), isa: 'default' };
  try {
    const { provenance } = decodeManifest(await manifestBytes(folderStore(options.cache)));
    if (provenance['engine'] !== 'native') return fallback;
    return {
      threads: options.threads ?? (Number(provenance['threads']) || fallback.threads),
      isa: typeof provenance['isa'] === 'string' ? provenance['isa'] : 'default',
    };
  } catch {
    // No cache yet, or one whose damage the step itself will tell.
    return fallback;
  }
}

export const command = defineStep({
  name: 'teach',
  summary: 'Runs the teacher once over every view and caches its answers. The same command again resumes.',
  options: optionsSchema,
  environment: recordedEnvironment,
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
