/**
 * The steps that a pipeline composes, typed by what they take and make: a run where a cache is due is a compile error.
 * Making a step does nothing; `perform` runs it in a process of its own.
 */
import { basename, resolve } from 'node:path';
import {
  decodeResult,
  type CacheRef,
  type Classification,
  type DatasetRef,
  type Evaluation,
  type ExportRef,
  type LiveTeacherRef,
  type ReportRef,
  type RunRef,
  type WeightsRef,
} from './artefacts.ts';
import { stepArgv } from '../cli/step-argv.ts';

/** One process to run: a step's name, its arguments as a person would type them, and how to read its result. */
export interface Step<T> {
  readonly name: string;
  /** Stands before what it reports (`train distilled`); the name by default. */
  readonly label?: string;
  /** Script that calls `stepMain`: absolute, or a name in `stages/`. */
  readonly script: string;
  readonly argv: readonly string[];
  decode(result: unknown): T;
}

export type EngineChoice = 'native' | 'wasm' | 'cpu';

interface Machine {
  readonly engine?: EngineChoice | undefined;
  readonly threads?: number | undefined;
}

export interface TeachStepOptions extends Machine {
  readonly weights: WeightsRef;
  readonly data: DatasetRef;
  readonly imgsz: number;
  /** Folder of the cache. */
  readonly cache: string;
  readonly cfg?: string | undefined;
  readonly views?: number | undefined;
  /** Last views of each sample that are made without mosaic. */
  readonly closeMosaic?: number | undefined;
  readonly hyp?: string | undefined;
  readonly hints?: readonly (number | string)[] | undefined;
  readonly codec?: string | undefined;
  readonly hintCodec?: string | undefined;
  readonly seed?: number | undefined;
  readonly unitViews?: number | undefined;
  readonly teachBatch?: number | undefined;
}

/** Runs the teacher once over the data and caches its answers. */
export const teach = ({ weights, data, ...rest }: TeachStepOptions): Step<CacheRef> => ({
  name: 'teach',
  script: 'teach',
  argv: stepArgv({ weights: weights.file, data: data.data, split: data.split, ...rest }),
  decode: decodeResult.teach,
});

/**
 * The teacher of `teach`, live instead of cached: the same options, the same answers, nothing written. In a pipeline
 * `liveTeacher(options)` stands where `await perform(teach(options), context)` stood.
 */
export const liveTeacher = (
  options: Omit<TeachStepOptions, 'cache'> & { readonly cache?: string | undefined },
): LiveTeacherRef => {
  const { weights, data, ...rest } = options;
  const settings = Object.entries({ ...rest, data: data.data, split: data.split, cache: undefined });
  return {
    kind: 'live-teacher',
    weights: weights.file,
    settings: Object.fromEntries(settings.filter(([, value]) => value !== undefined)),
  };
};

export interface TrainStepOptions extends Machine {
  /** Model yaml of the student. */
  readonly cfg?: string | undefined;
  readonly data: DatasetRef;
  /** The teacher's answers, cached or live; without, training on labels alone. */
  readonly cache?: CacheRef | LiveTeacherRef | undefined;
  readonly weights?: WeightsRef | undefined;
  /** `partial` keeps what fits of the weights. */
  readonly transfer?: 'full' | 'partial' | undefined;
  readonly imgsz: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly stepsPerEpoch?: number | undefined;
  /** Layers that stay as they are; one number N: the first N. */
  readonly freeze?: readonly number[] | undefined;
  /** Views a sample without a cache, and last epochs without mosaic. */
  readonly views?: number | undefined;
  readonly closeMosaic?: number | undefined;
  /** Ways of choosing and sizing batches, without a teacher. */
  readonly rect?: boolean | undefined;
  readonly multiScale?: boolean | undefined;
  readonly imageWeights?: boolean | undefined;
  /** Find anchors where the model's fit the labels badly. */
  readonly autoAnchor?: boolean | undefined;
  /** Where decoded images are kept. */
  readonly imageCache?: 'none' | 'ram' | 'disk' | undefined;
  /** Share of each batch that is of labelled images. */
  readonly labelledShare?: number | undefined;
  readonly nominalBatch?: number | undefined;
  readonly optimizer?: 'sgd' | 'adam' | 'adamw' | undefined;
  readonly cosLr?: boolean | undefined;
  readonly hyp?: string | undefined;
  /** A yaml, or the name of a method that is one training. */
  readonly distill?: string | undefined;
  /** Groups `hyp` and `distill`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  /** Least batches of warm-up. */
  readonly warmupIterations?: number | undefined;
  readonly val?: boolean | undefined;
  /** Epochs from one measurement to the next. */
  readonly valEvery?: number | undefined;
  readonly valSplit?: 'val' | 'test' | undefined;
  readonly seed?: number | undefined;
  readonly workers?: number | undefined;
  readonly resume?: boolean | undefined;
  readonly project: string;
  readonly name: string;
}

const answersOf = (
  cache: CacheRef | LiveTeacherRef | undefined,
  set: TrainStepOptions['set'],
): Pick<TrainStepOptions, 'set'> & { readonly cache?: string; readonly liveTeacher?: string } => {
  if (cache === undefined) return { set };
  if (cache.kind === 'cache') return { cache: cache.dir, set };
  return { liveTeacher: cache.weights, set: { ...set, teach: cache.settings } };
};

/** Trains a student. */
export const train = ({ data, cache, weights, set, ...rest }: TrainStepOptions): Step<RunRef> => ({
  name: 'train',
  label: `train ${rest.name}`,
  script: 'train',
  argv: stepArgv({
    ...{ data: data.data, split: data.split, weights: weights?.file },
    ...answersOf(cache, set),
    ...rest,
  }),
  decode: decodeResult.train,
});

export interface EvaluateStepOptions extends Machine {
  /** Weights, or a run: its last. */
  readonly model: WeightsRef | RunRef;
  readonly data: DatasetRef;
  readonly imgsz: number;
  readonly cfg?: string | undefined;
  readonly rect?: boolean | undefined;
  readonly batchSize?: number | undefined;
}

const labelOf = (model: WeightsRef | RunRef): string =>
  basename(model.kind === 'run' ? model.dir : model.file);
const fileOf = (model: WeightsRef | RunRef): string => (model.kind === 'run' ? model.last : model.file);

/** Measures a model. */
export const evaluate = ({ model, data, ...rest }: EvaluateStepOptions): Step<Evaluation> => ({
  name: 'evaluate',
  label: `evaluate ${labelOf(model)}`,
  script: 'evaluate',
  argv: stepArgv({ weights: fileOf(model), data: data.data, split: data.split, ...rest }),
  decode: decodeResult.evaluate,
});

/** Measures a classifier. */
export const classify = (options: Omit<EvaluateStepOptions, 'rect'>): Step<Classification> => ({
  ...evaluate(options),
  decode: decodeResult.classify,
});

export interface CropStepOptions {
  readonly data: DatasetRef;
  /** Folder of the crops. */
  readonly out: string;
  readonly margin?: number | undefined;
  readonly minSide?: number | undefined;
  readonly perClass?: number | undefined;
  readonly unlabelledShare?: number | undefined;
  readonly seed?: number | undefined;
}

/** Cuts boxes out as a data set for classifiers. */
export const crop = ({ data, ...rest }: CropStepOptions): Step<DatasetRef> => ({
  name: 'crop',
  script: 'crop',
  argv: stepArgv({ data: data.data, ...rest }),
  decode: decodeResult.crop,
});

export interface ExportStepOptions extends Machine {
  readonly model: WeightsRef | RunRef;
  readonly format: readonly ('pt' | 'safetensors' | 'tfjs')[];
  /** Folder to write into. */
  readonly out: string;
  readonly imgsz?: number | undefined;
  /** Stem of the files; that of the weights by default. */
  readonly name?: string | undefined;
}

/** Writes weights in other formats. */
export const exportModel = ({ model, out, ...rest }: ExportStepOptions): Step<ExportRef> => ({
  name: 'export',
  label: `export ${labelOf(model)}`,
  script: 'export',
  argv: stepArgv({ weights: fileOf(model), out, ...rest }),
  decode: () => ({ kind: 'export', dir: resolve(out) }),
});

export interface ReportStepOptions extends Machine {
  readonly run: RunRef;
  readonly teacher?: WeightsRef | undefined;
  readonly teacherCfg?: string | undefined;
  readonly baseline?: RunRef | undefined;
  readonly data?: DatasetRef | undefined;
  readonly imgsz?: number | undefined;
  readonly rect?: boolean | undefined;
  readonly note?: string | undefined;
}

/** Writes a run's report. */
export const report = ({ run, teacher, baseline, data, ...rest }: ReportStepOptions): Step<ReportRef> => ({
  name: 'report',
  label: `report ${basename(run.dir)}`,
  script: 'src/cli/report',
  argv: stepArgv({
    ...{ run: run.dir, teacher: teacher?.file, baseline: baseline?.dir },
    ...{ data: data?.data, split: data?.split },
    ...rest,
  }),
  decode: decodeResult.report,
});
