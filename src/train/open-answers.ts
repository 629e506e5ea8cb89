/** The teacher of a run: its cache, or its own process, by the options. */
import { parseOptions } from '../cli/options.ts';
import { stepArgv } from '../cli/step-argv.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { chooseEngine, type EngineRecord } from '../flow/engine-choice.ts';
import { liveOptionsSchema } from '../teach/live-options.ts';
import { startLiveTeacher, type LiveTeacherOptions } from './live-teacher.ts';
import { checkAnswers, openTeacherCache, type OpenedCache } from './open-teacher-cache.ts';
import type { DataContext } from './run-data.ts';
import type { TrainOptions } from './train-options.ts';

/** `unit-views` and `unitViews` are one option. */
const camel = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * What starts the live teacher: the run's data, split and image size, `settings` (options of `teach`) over them, and
 * the recorded engine under them. Throws E_USAGE for a setting that is no option of a live teacher.
 */
export function liveTeacherOptions(
  options: TrainOptions,
  weights: string,
  settings: Readonly<Record<string, unknown>>,
  recorded: EngineRecord | undefined,
): LiveTeacherOptions {
  const { data, split, imgsz, badImages } = options;
  const asked: Parameters<typeof stepArgv>[0] = {
    ...{ weights, data, split, imgsz, badImages },
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value as string])),
  };
  const parsed = parseOptions(liveOptionsSchema, stepArgv(asked));
  const { engine, threads } = parsed.help ? {} : parsed.options;
  const choice = chooseEngine({ engine, threads }, recorded, process.env);
  return {
    argv: stepArgv({ ...asked, engine: choice.name, threads: choice.threads }),
    engine: { threads: choice.threads, isa: choice.isa },
  };
}

/**
 * Opens where a run's answers come from; undefined for a run on labels alone. `settings` are the group `teach` of
 * `--set`, `recorded` the engine of the live teacher that began the run. Throws E_OPTION_CONFLICT for two teachers or
 * settings without a live one, and as `openTeacherCache` and `startLiveTeacher` do.
 */
export async function openAnswers(
  options: TrainOptions,
  dataset: Dataset,
  settings: Readonly<Record<string, unknown>>,
  recorded: EngineRecord | undefined,
  context: DataContext,
): Promise<OpenedCache | undefined> {
  const { cache, liveTeacher, imgsz, follow, merge } = options;
  if (liveTeacher !== undefined && cache !== undefined) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'A run has one teacher.',
      expected: '--cache or --live-teacher',
      found: 'both',
      remedy: 'Leave one of them out.',
    });
  }
  if (liveTeacher === undefined && Object.keys(settings).length > 0) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Settings of a live teacher need one.',
      where: `--set teach.${Object.keys(settings)[0] ?? ''}`,
      expected: '--live-teacher FILE',
      found: 'none',
      remedy: 'Give these options to softshard teach, which makes the cache, or name a live teacher.',
    });
  }
  if (follow && cache === undefined) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Only a cache can be followed.',
      where: '--follow',
      expected: '--cache DIR',
      found: 'none',
    });
  }
  if (cache !== undefined) {
    const caches = typeof cache === 'string' ? [cache] : cache;
    return openTeacherCache(caches, { follow, merge, imgsz }, dataset, context);
  }
  if (liveTeacher === undefined) return undefined;
  const reader = await startLiveTeacher(
    liveTeacherOptions(options, liveTeacher, settings, recorded),
    context,
  );
  try {
    const teacher = checkAnswers(reader, dataset, imgsz, liveTeacher);
    return { reader, teacher, live: true, close: () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}
