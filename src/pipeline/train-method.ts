/** Trains a student by a method: its stages one after the other, each a run of its own that resumes. */
import type { StepContext } from '../flow/step-command.ts';
import type { Method, MethodStage } from '../method/method.ts';
import { weights, type CacheRef, type RunRef } from './artefacts.ts';
import { perform } from './perform.ts';
import { runPace, type RunPace } from './run-pace.ts';
import { train, type TrainStepOptions } from './steps.ts';
import { divideEpochs, trainingLength } from './training-length.ts';

/** What every stage is trained with alike. */
type CommonOptions = Omit<
  TrainStepOptions,
  'name' | 'cache' | 'epochs' | 'stepsPerEpoch' | 'labelledShare' | 'distill' | 'set' | 'val' | 'valEvery'
>;

/** The student that every method trains alike. */
export interface MethodStudent {
  readonly options: CommonOptions;
  /** Share of each batch that is labelled, where the teacher is read. */
  readonly labelledShare?: number | undefined;
  /** Batches in all, to the nearest whole epochs. */
  readonly steps: number;
  readonly epochs: number;
  /** Hyper-parameters laid over those of `hyp`. */
  readonly hypSettings?: Readonly<Record<string, unknown>> | undefined;
}

export interface MethodTraining {
  /** The last stage's run. */
  readonly run: RunRef;
  /** Batches of all stages. */
  readonly steps: number;
  /** Seconds of all stages' epochs, from their first beginning, without what starts a process. */
  readonly seconds: number;
  /** Mean over the last stage's epochs of the whole loss by the hard loss as weighted; null where that is 0. */
  readonly lossScale: number | null;
}

const stageName = (name: string, stage: number, stages: number): string =>
  stage + 1 === stages ? name : `${name}-stage-${stage + 1}`;

const given = (values: Readonly<Record<string, unknown>>): boolean => Object.keys(values).length > 0;

/** What `train` is told of a stage. */
function stageOptions(
  student: MethodStudent,
  { settings, hyp, optimizer, warmupIterations }: MethodStage,
): Pick<TrainStepOptions, 'set' | 'optimizer' | 'warmupIterations'> {
  const hyps = { ...student.hypSettings, ...hyp };
  return {
    optimizer: optimizer ?? student.options.optimizer,
    warmupIterations: warmupIterations ?? student.options.warmupIterations,
    set: { ...(given(settings) ? { distill: settings } : {}), ...(given(hyps) ? { hyp: hyps } : {}) },
  };
}

/**
 * Trains `student` by `method` under `name` in its project and measures the validation split at the end. A stage that
 * learns from labels alone does not open the cache, and draws fresh views at every pass. What is finished is found.
 * Throws as `perform` does; E_USAGE where there are fewer epochs than stages.
 */
export async function trainMethod(
  options: {
    readonly method: Method;
    readonly name: string;
    readonly student: MethodStudent;
    readonly cache: CacheRef | undefined;
  },
  context: StepContext,
): Promise<MethodTraining> {
  const { method, name, student, cache } = options;
  const { steps, epochs: about, labelledShare } = student;
  const { epochs, stepsPerEpoch } = trainingLength(steps, about);
  const parts = divideEpochs(
    epochs,
    method.stages.map(({ share }) => share),
  );
  let last: RunRef | undefined;
  let pace: RunPace = { seconds: 0, lossScale: null };
  let done = 0;
  let seconds = 0;
  for (const [i, stage] of method.stages.entries()) {
    const isLast = i + 1 === method.stages.length;
    const part = parts[i] ?? 1;
    const learnsFrom = stage.needs.teacher ? { cache, labelledShare } : {};
    const before = last;
    last = await perform(
      train({
        ...{ ...student.options, ...learnsFrom, ...stageOptions(student, stage) },
        ...(before === undefined ? {} : { weights: weights(before.last) }),
        ...{ epochs: part, stepsPerEpoch, val: isLast, ...(isLast ? { valEvery: part } : {}) },
        name: stageName(name, i, method.stages.length),
      }),
      context,
    );
    pace = await runPace(last.dir);
    done += last.steps;
    seconds += pace.seconds;
  }
  if (last === undefined) throw new Error('a method has a stage');
  return { run: last, steps: done, seconds, lossScale: pace.lossScale };
}
