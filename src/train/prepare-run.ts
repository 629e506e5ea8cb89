/** Everything about a run that needs no engine: data, cache, student, losses, and what identifies it. */
import { readFile } from 'node:fs/promises';
import { LETTERBOX_ONLY, type Augmentation } from '../augment/augmentation.ts';
import { augmentationOf, readHyp, type Hyp } from '../augment/hyp.ts';
import { partnerIdentity } from '../augment/partners.ts';
import type { TrainingHyp } from '../augment/training-hyp.ts';
import { openCache, type Cache } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import { firstDifference, type JsonRecord } from '../cache/identity.ts';
import { canonicalJson, shortJson } from '../cache/json.ts';
import { checkClasses } from '../data/class-names.ts';
import { datasetSplits, readDataset } from '../data/read-dataset.ts';
import type { Dataset } from '../data/sample.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { SoftshardError } from '../errors.ts';
import { checkDistillation } from '../loss/check-distillation.ts';
import {
  distillationOptions,
  parseDistillationOptions,
  type DistillationOptions,
} from '../loss/distillation-options.ts';
import { buildGraph, type ModelGraph } from '../model/graph.ts';
import { readModelYaml } from '../model/model-yaml.ts';
import type { TensorData } from '../model/tensor-data.ts';
import { describeTeacherCache, type TeacherCache } from '../teach/teacher-cache.ts';
import { loadWeights } from '../weights/load.ts';
import { teacherDigest } from '../weights/teacher-digest.ts';
import { transferWeights } from '../weights/transfer.ts';
import { initialState } from './initial-state.ts';
import { labelledShare, type LabelledShare } from './labelled-share.ts';
import { FREE_OPTIONS, type TrainOptions } from './train-options.ts';

export interface PreparedRun {
  readonly options: TrainOptions;
  readonly dataset: Dataset;
  readonly validation: Dataset | undefined;
  /** Sample indices that take part. */
  readonly participants: readonly number[];
  /** How each batch is divided, where that is asked for. */
  readonly share: LabelledShare | undefined;
  readonly cache: { readonly reader: Cache; readonly teacher: TeacherCache } | undefined;
  readonly augmentation: Augmentation;
  readonly hyp: TrainingHyp;
  readonly distillation: DistillationOptions;
  readonly graph: ModelGraph;
  readonly initial: ReadonlyMap<string, TensorData>;
  readonly identity: JsonRecord;
}

export interface PrepareContext {
  readonly signal: AbortSignal;
  info(message: string): void;
  warn(message: string): void;
}

const NO_DISTILLATION = { output: { kind: 'none' } } as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The groups of `--set`: `hyp.*` and `distill.*`. Throws E_USAGE on another one. */
function settings(
  set: Readonly<Record<string, unknown>>,
): Record<'hyp' | 'distill', Record<string, unknown>> {
  for (const key of Object.keys(set)) {
    if (key === 'hyp' || key === 'distill') continue;
    throw new SoftshardError('E_USAGE', {
      message: `--set knows no group ${key}.`,
      expected: 'hyp.KEY=VALUE or distill.KEY=VALUE',
      found: key,
    });
  }
  const group = (name: 'hyp' | 'distill'): Record<string, unknown> => {
    const value = set[name];
    return isRecord(value) ? value : {};
  };
  return { hyp: group('hyp'), distill: group('distill') };
}

async function openTeacherCache(
  path: string,
  dataset: Dataset,
  imgsz: number,
  signal: AbortSignal,
): Promise<{ reader: Cache; teacher: TeacherCache }> {
  const reader = await openCache(folderStore(path), { signal, codecs: HEAD_CODECS });
  const teacher = describeTeacherCache(reader.manifest);
  const differs = (what: string, expected: string, found: string, remedy: string): SoftshardError =>
    new SoftshardError('E_CACHE_IDENTITY', {
      message: `The cache was made for ${what}.`,
      where: path,
      expected,
      found,
      remedy,
    });
  if (teacher.dataDigest !== dataset.digest) {
    throw differs(
      'other images than these',
      `data digest ${dataset.digest} (${dataset.samples.length} images)`,
      `data digest ${teacher.dataDigest} (${teacher.samples} images)`,
      'Give the --data, --split and --bad-images that the cache was made with, or teach again.',
    );
  }
  if (teacher.imageSize !== imgsz) {
    throw differs(
      'another image size',
      String(imgsz),
      String(teacher.imageSize),
      `Use --imgsz ${teacher.imageSize}.`,
    );
  }
  const partners = firstDifference(
    canonicalJson({ partners: partnerIdentity(dataset.samples, teacher.augmentation) }),
    canonicalJson({ partners: teacher.partners }),
  );
  if (partners !== undefined) {
    throw differs(
      'other labelled images, among which the partners of their mosaics were drawn',
      `${partners.path} ${shortJson(partners.expected)}`,
      shortJson(partners.found),
      'Train on the labels that the cache was made with, or teach again into another cache.',
    );
  }
  return { reader, teacher };
}

/** An augmentation key of `train --hyp` must agree with the cache, whose views are fixed. */
function checkAugmentation(hyp: Hyp, cached: Augmentation): void {
  for (const [key, value] of Object.entries(cached)) {
    const asked = hyp.augmentation[key as keyof Augmentation];
    if (!hyp.given.has(key) || asked === value) continue;
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The hyper-parameters ask for another augmentation than the cached views have.',
      where: `hyp key ${key}`,
      expected: `${value} (the cache's)`,
      found: String(asked),
      remedy: `Remove ${key} from the hyper-parameters of train, or teach with --hyp into another cache.`,
    });
  }
}

async function readDistillation(
  options: TrainOptions,
  changes: Record<string, unknown>,
  hasCache: boolean,
): Promise<DistillationOptions> {
  if (hasCache) {
    if (options.distill === undefined) return distillationOptions({}, changes);
    return parseDistillationOptions(await readFile(options.distill, 'utf8'), changes, options.distill);
  }
  const wanted = options.distill !== undefined || Object.keys(changes).some((key) => key !== 'hard');
  if (wanted) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Distillation terms need the answers of a teacher.',
      expected: '--cache DIR',
      found: 'no cache',
      remedy: 'Make a cache with softshard teach, or leave the distillation options out.',
    });
  }
  return distillationOptions(NO_DISTILLATION, changes);
}

async function readInitial(
  options: TrainOptions,
  graph: ModelGraph,
  context: PrepareContext,
): Promise<Map<string, TensorData>> {
  const fresh = initialState(graph, options.seed);
  if (options.weights === '') return fresh;
  const loaded = await loadWeights(options.weights);
  const shapes = new Map(
    graph.entries.filter((e) => e.role !== 'batches').map(({ name, shape }) => [name, shape] as const),
  );
  const { state, missing, mismatched } = transferWeights(loaded.state, shapes, options.transfer, {
    excludeAnchors: true,
    where: options.weights,
  });
  const anew = missing.length + mismatched.length;
  context.info(
    `${options.weights}: ${state.size} entries taken over${anew > 0 ? `, ${anew} begun anew` : ''}`,
  );
  return new Map([...fresh, ...state]);
}

async function readValidation(options: TrainOptions, context: PrepareContext): Promise<Dataset | undefined> {
  if (!options.val) return undefined;
  const splits = await datasetSplits(options.data);
  if (!splits.includes(options.valSplit)) {
    context.info(`no split ${options.valSplit}: mAP is not measured while training`);
    return undefined;
  }
  const { data, valSplit, badImages } = options;
  return readDataset({ data, split: valSplit, badImages, signal: context.signal });
}

/** The annotated samples of a data set, numbered anew. */
const labelledPart = (dataset: Dataset): Dataset => ({
  ...dataset,
  samples: dataset.samples
    .filter((sample) => sample.labels !== undefined)
    .map((sample, index) => ({ ...sample, index })),
});

/** Reads and checks all that a run needs. Throws before anything is written. */
export async function prepareRun(options: TrainOptions, context: PrepareContext): Promise<PreparedRun> {
  const { data, split, badImages, imgsz } = options;
  const changes = settings(options.set);
  const whole = await readDataset({
    data,
    split,
    badImages,
    signal: context.signal,
    onWarning: (message) => context.warn(message),
  });
  for (const { path, reason } of whole.dropped) context.warn(`dropped ${path}: ${reason}`);
  // Without a teacher an image without annotation teaches nothing, nor may it enter a mosaic.
  const dataset = options.cache === undefined ? labelledPart(whole) : whole;
  const cache =
    options.cache === undefined
      ? undefined
      : await openTeacherCache(options.cache, dataset, imgsz, context.signal);
  const hyp = await readHyp(options.hyp ?? 'scratch-low', changes.hyp);
  if (cache !== undefined && options.hyp !== undefined) checkAugmentation(hyp, cache.teacher.augmentation);
  const distillation = await readDistillation(options, changes.distill, cache !== undefined);

  const names = cache !== undefined && !dataset.namesKnown ? cache.teacher.head.names : dataset.names;
  checkClasses(dataset.samples, names.length);
  const graph = buildGraph(readModelYaml(options.cfg), { names, where: options.cfg });
  if (cache !== undefined) {
    checkDistillation(distillation, {
      student: { head: graph.head, layers: graph.layers.length + 1 },
      teacher: { head: cache.teacher.head, layers: cache.teacher.layerChannels.length + 1 },
      epochs: options.epochs,
    });
    for (const hint of distillation.hints) {
      if (cache.reader.kinds.includes(`feature.${hint.teacher}`)) continue;
      throw new SoftshardError('E_LOSS', {
        message: `The cache holds no features of the teacher's layer ${hint.teacher}.`,
        expected: `one of ${cache.reader.kinds.join(', ')}`,
        found: `feature.${hint.teacher}`,
        remedy: `Teach with --hints ${hint.teacher} into another cache.`,
      });
    }
  }
  const participants = dataset.samples.map((sample) => sample.index);
  if (participants.length === 0) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'No image of the split carries labels, and there is no cache to learn from.',
      where: data,
      remedy: 'Give --cache DIR, or label images.',
    });
  }
  const share =
    options.labelledShare === undefined
      ? undefined
      : labelledShare(dataset.samples, options.labelledShare, options.batchSize);
  if (share !== undefined) {
    context.info(
      `each batch: ${share.views} of ${share.labelled.length} labelled images, ` +
        `${options.batchSize - share.views} of ${share.unlabelled.length} unlabelled ones`,
    );
  }
  const initial = await readInitial(options, graph, context);
  const free = new Set<string>(FREE_OPTIONS);
  const augmentation =
    cache?.teacher.augmentation ?? (hyp.given.size > 0 ? augmentationOf(hyp) : LETTERBOX_ONLY);
  const identity = canonicalJson({
    options: Object.fromEntries(Object.entries(options).filter(([key]) => !free.has(key))),
    data: dataset.digest,
    labels: dataset.labelsDigest,
    validation: null,
    student: graph.yaml,
    names,
    initial: teacherDigest(initial, {}),
    hyp: hyp.training,
    augmentation,
    distillation,
    teacher:
      cache === undefined
        ? null
        : {
            digest: cache.teacher.teacherDigest,
            seed: cache.teacher.seed,
            views: cache.teacher.views,
            answers: cache.reader.manifest.extent.answers,
          },
  }) as JsonRecord;
  const validation = await readValidation(options, context);
  return {
    options,
    dataset,
    validation,
    participants,
    share,
    cache,
    augmentation,
    hyp: hyp.training,
    distillation,
    graph,
    initial,
    identity: { ...identity, validation: validation?.digest ?? null },
  };
}
