/**
 * Extends a finished cache by more views, hints or codecs. What it holds is neither recomputed nor changed.
 *
 *     softshard extend cache/yolov5n --weights yolov5n.pt --data coco128.yaml --views 4 --hints 4,6
 *
 * The same command again goes on where it stopped, and finds what is there.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { codecSpec } from '../src/cache/codec.ts';
import type { Answer, Extent } from '../src/cache/extent.ts';
import { checkExtends, extensionPrefix, extensionStores, missingBlocks } from '../src/cache/extensions.ts';
import { manifestBytes, openCache } from '../src/cache/cache-reader.ts';
import { folderStore } from '../src/cache/folder-store.ts';
import { SEAL_NAME } from '../src/cache/formats.ts';
import type { JsonRecord } from '../src/cache/identity.ts';
import { decodeManifest, type Manifest } from '../src/cache/manifest.ts';
import { prefixedStore } from '../src/cache/prefixed-store.ts';
import { makePlan } from '../src/data/plan.ts';
import { SoftshardError } from '../src/errors.ts';
import { chooseEngine } from '../src/flow/engine-choice.ts';
import { once } from '../src/flow/once.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { HEAD_CODECS } from '../src/head-codec/codecs.ts';
import { answerCodec } from '../src/teach/answer-codec.ts';
import { featureKind, HEADS_KIND } from '../src/teach/answers.ts';
import { prepareTeaching, type PreparedTeaching } from '../src/teach/prepare-teaching.ts';
import { recordedTeacherOptions, recordedOptions } from '../src/teach/recorded-options.ts';
import { engineOfCache, threadsOfCache } from '../src/teach/recorded-engine.ts';
import { namedFiles } from '../src/teach/recorded-teacher.ts';
import { answerOptions, type TeachStepOptions } from '../src/teach/teach-options.ts';
import { teachInto } from './teach.ts';

const optionsSchema = z.strictObject({
  cache: z.string().describe('folder of the cache').meta({ positional: true, placeholder: 'CACHE' }),
  ...recordedTeacherOptions,
  views: z
    .int()
    .min(1)
    .optional()
    .describe('augmented views a sample that there shall be; as many as there are'),
  hints: answerOptions.hints.describe('further layers whose features are cached, such as 4,6,9'),
  codec: answerOptions.codec.unwrap().optional().describe('a further codec of the heads'),
  hintCodec: answerOptions.hintCodec.describe('codec of the further features; that of the others by default'),
});

type Options = z.output<typeof optionsSchema>;

export interface ExtendResult {
  readonly cache: string;
  /** What was added, or is there from earlier. */
  readonly extensions: readonly {
    readonly name: string;
    readonly firstView: number;
    readonly views: number;
    readonly answers: readonly string[];
    readonly written: number;
  }[];
}

const refuse = (message: string, where: string, found: string, remedy: string): SoftshardError =>
  new SoftshardError('E_OPTION_CONFLICT', { message, where, found, remedy });

/** Everything that the extended cache shall hold: what is there, the further hints and the further codec. */
function wantedAnswers(
  known: readonly Answer[],
  planned: readonly Answer[],
  codec?: string,
): readonly Answer[] {
  const heads = known.find(({ kind }) => kind === HEADS_KIND);
  const further = [
    ...planned.filter(({ kind }) => kind !== HEADS_KIND && !known.some((answer) => answer.kind === kind)),
    ...(codec === undefined || heads === undefined
      ? []
      : [{ kind: HEADS_KIND, blobs: heads.blobs, codec: codecSpec(answerCodec(codec)) }]),
  ];
  const isKnown = (answer: Answer): boolean =>
    known.some(({ kind, codec: its }) => kind === answer.kind && its === answer.codec);
  return [...known, ...further.filter((answer) => !isKnown(answer))];
}

/** One block of an extension as a teaching of its own: of what the teacher answers, a part is kept. */
function blockTeaching(teaching: PreparedTeaching, extent: Extent, base: Manifest): PreparedTeaching {
  const { samples, unitViews, views, firstView = 0, answers } = extent;
  const hints = teaching.teacher.features
    .map(({ layer }) => layer)
    .filter((layer) => answers.some(({ kind }) => kind === featureKind(layer)));
  const viewBytes = answers.reduce(
    (sum, { kind }) => sum + (teaching.planned.answers.find((one) => one.kind === kind)?.viewBytes ?? 0),
    0,
  );
  return {
    ...teaching,
    prepared: { ...teaching.prepared, plan: makePlan({ samples, views, unitViews, firstView }) },
    planned: { ...teaching.planned, viewBytes },
    bytes: viewBytes * samples * views,
    bounds: undefined,
    identity: { ...base.identity, answers: { ...(base.identity['answers'] as JsonRecord), hints } },
    extent,
  };
}

/** Extends as the options say. */
export async function runExtend(options: Options, context: StepContext): Promise<ExtendResult> {
  const { cache: folder } = options;
  const store = folderStore(folder);
  const beside = folderStore(`${folder}.local`);
  const { manifest: base } = await openCache(store, { signal: context.signal, codecs: HEAD_CODECS });
  const manifests = await Promise.all(
    (await extensionStores(store)).map(async (each) => decodeManifest(await manifestBytes(each))),
  );
  for (const { identity } of manifests) checkExtends(identity, base.identity);
  const extents = [base, ...manifests].map(({ extent }) => extent);
  const held = Math.max(...extents.map(({ firstView = 0, views }) => firstView + views));
  const views = Math.max(options.views ?? held, held);
  const recorded = recordedOptions(base, folder, namedFiles(options));
  if (views > base.extent.views && recorded.closeMosaic > 0) {
    throw refuse(
      'The last views of this cache are without mosaic, so that there is no view after them.',
      '--views',
      String(views),
      'Teach another cache with more views.',
    );
  }
  const known = [
    ...new Map(
      extents.flatMap(({ answers }) => answers).map((answer) => [`${answer.kind} ${answer.codec}`, answer]),
    ).values(),
  ];
  const asked: TeachStepOptions = {
    ...recorded,
    views,
    hints: [...new Set([...recorded.hints, ...options.hints])],
    hintCodec: options.hintCodec ?? recorded.hintCodec,
  };
  const engine = once(async () => openStepEngine(asked, await engineOfCache(folder)));
  const threads = options.threads ?? (await threadsOfCache(folder));
  const teaching = await prepareTeaching(
    { ...asked, threads },
    { ...context, checks: imageCheckStore() },
    engine,
  );
  try {
    checkExtends(teaching.identity, base.identity);
    const answers = wantedAnswers(known, teaching.extent.answers, options.codec);
    const { samples, unitViews } = base.extent;
    const blocks = missingBlocks(extents, views, answers).map(({ firstView, ...block }): Extent => ({
      ...{ samples, unitViews, ...block, answers: [...block.answers] },
      ...(firstView === 0 ? {} : { firstView }),
    }));
    const done: ExtendResult['extensions'][number][] = [];
    for (const [i, extent] of [...extents.slice(1), ...blocks].entries()) {
      const prefix = extensionPrefix(i + 1);
      const place = { store: prefixedStore(store, prefix), beside: prefixedStore(beside, prefix), base };
      const isThere = (await place.store.size(SEAL_NAME)) !== undefined;
      const taught = isThere
        ? undefined
        : await teachInto(place, blockTeaching(teaching, extent, base), asked, context, engine);
      done.push({
        name: prefix.slice(0, -1),
        ...{ firstView: extent.firstView ?? 0, views: extent.views, written: taught?.written ?? 0 },
        answers: extent.answers.map(({ kind, codec }) => `${kind} in ${codec}`),
      });
    }
    return { cache: resolve(folder), extensions: done };
  } finally {
    await teaching.teacher.close();
  }
}

export const command = defineStep({
  name: 'extend',
  summary: 'Adds views, hints or a codec to a finished cache. No byte of it changes, nothing is recomputed.',
  options: optionsSchema,
  environment: async (options) => chooseEngine(options, await engineOfCache(options.cache), process.env),
  run: runExtend,
  describe: ({ cache, extensions }) =>
    [
      ...extensions.map(
        ({ name, firstView, views, answers, written }) =>
          `${name}: views ${firstView} to ${firstView + views - 1}, ${answers.join(', ')}: ${written === 0 ? 'found' : `${written} units written`}`,
      ),
      extensions.length === 0 ? `${cache} holds all that was asked for` : cache,
    ].join('\n'),
});

stepMain(import.meta.url, command);
