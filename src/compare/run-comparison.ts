/** Trains every method at every seed by a pipeline, from one cache; what is finished is found. */
import { join } from 'node:path';
import { optionSpecs } from '../cli/option-spec.ts';
import { findPipeline, loadPipeline } from '../cli/pipeline-file.ts';
import { runPipeline } from '../cli/run.ts';
import { SoftshardError } from '../errors.ts';
import type { StepContext } from '../flow/step-command.ts';
import { writtenStages, type Method } from '../method/method.ts';
import { readMethod } from '../method/registry.ts';
import { comparedResultSchema, readMethodRun, writeMethodRun, type MethodRun } from './method-run.ts';

export interface ComparisonPlan {
  /** Path or name of a pipeline with the options `method`, `seed` and `folder`. */
  readonly pipeline: string;
  /** Names of methods in order, each once. */
  readonly methods: readonly string[];
  /** Seeds 0 to `seeds` - 1. */
  readonly seeds: number;
  /** Where caches, runs and results go. */
  readonly folder: string;
  /** Options of the pipeline, the same for all. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** Options of a pipeline that say where and what, not how: they may change as a comparison goes on. */
const FREE = ['cacheFor', 'report', 'folder'] as const;

/** The keys of a pipeline's options. Throws E_PIPELINE unless it can be compared. */
async function comparableOptions(pipeline: string): Promise<ReadonlySet<string>> {
  const file = findPipeline(pipeline);
  const keys = new Set(optionSpecs((await loadPipeline(file)).options).map(({ key }) => key));
  const missing = ['method', 'seed', 'folder'].filter((key) => !keys.has(key));
  if (missing.length === 0) return keys;
  throw new SoftshardError('E_PIPELINE', {
    message: 'The pipeline cannot be compared: it trains by no method and seed that could be chosen.',
    where: file,
    expected: 'options method, seed and folder',
    found: `none named ${missing.join(', ')}`,
    remedy: 'Compare the pipeline method, or add the options.',
  });
}

/** What decides a method's results, as plain data. */
function settingsOf(plan: ComparisonPlan, method: Method, seed: number): Record<string, unknown> {
  const set = Object.fromEntries(
    Object.entries(plan.set).filter(([key]) => !FREE.some((free) => free === key)),
  );
  return {
    ...{ pipeline: plan.pipeline, seed, set },
    stages: writtenStages(method),
  };
}

/**
 * Trains what is missing, seed by seed, and passes each run on as it is there. Throws E_PIPELINE for a pipeline that
 * cannot be compared or returns no figures, E_LOSS for an unknown method, E_RUN_OPTIONS where the folder holds results
 * of other settings; and as the pipeline does.
 */
export async function* runComparison(plan: ComparisonPlan, context: StepContext): AsyncGenerator<MethodRun> {
  const keys = await comparableOptions(plan.pipeline);
  const methods = await Promise.all(
    plan.methods.map(async (source) => [source, await readMethod(source)] as const),
  );
  for (let seed = 0; seed < plan.seeds; seed++) {
    for (const [source, read] of methods) {
      const method = read.name;
      const file = join(plan.folder, 'compared', `${method}-${seed}.json`);
      const settings = settingsOf(plan, read, seed);
      const found = await readMethodRun(file, settings);
      if (found !== undefined) {
        context.info(`found ${method}, seed ${seed}`);
        yield { ...found, method, seed };
        continue;
      }
      context.signal.throwIfAborted();
      context.info(`${method}, seed ${seed} of ${plan.seeds}`);
      const { result } = await runPipeline(
        plan.pipeline,
        {
          ...(keys.has('report') ? { report: false } : {}),
          ...(keys.has('cacheFor') ? { cacheFor: plan.methods } : {}),
          ...{ ...plan.set, method: source, seed, folder: plan.folder },
        },
        context,
      );
      const parsed = comparedResultSchema.safeParse(result);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new SoftshardError('E_PIPELINE', {
          message: 'The pipeline returned nothing that could be compared.',
          where: `${plan.pipeline}, ${issue?.path.join('.') ?? ''}`,
          expected: 'metrics, steps and seconds of the training; see src/compare/method-run.ts',
          found: issue?.message ?? 'nothing',
          remedy: 'Measure: the data need a validation split.',
          cause: parsed.error,
        });
      }
      await writeMethodRun(file, settings, parsed.data);
      yield { ...parsed.data, method, seed };
    }
  }
}
