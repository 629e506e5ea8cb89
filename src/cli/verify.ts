/** `softshard verify CACHE`: reads every byte of a cache and holds it to its digests. */
import { z } from 'zod';
import { openCache } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import { bytesText } from '../cache/inspect.ts';
import { verifyCache, type VerifyReport } from '../cache/verify.ts';
import { EXIT } from '../errors.ts';
import { chooseEngine } from '../flow/engine-choice.ts';
import { EVENT_FORMAT } from '../flow/events.ts';
import { defineStep, stepMain, type StepContext } from '../flow/step-main.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { engineOfCache } from '../teach/recorded-engine.ts';
import { recordedTeacherOptions } from '../teach/recorded-options.ts';
import { liveText, verifyLive, type LiveReport } from '../teach/verify-live.ts';

/** Time between two lines of progress, milliseconds. */
const TELL_MS = 1000;

/** The report, and that of the views that were recomputed. */
export type VerifyResult = VerifyReport & { readonly live?: LiveReport };

/** The report as lines of text, one a problem. */
export const verifyText = ({ sealed, files, bytes, problems, live }: VerifyResult): string =>
  [
    ...problems.map(({ file, code, what }) => `${file}: ${code} ${what}`),
    problems.length === 0
      ? `every byte is as it was written: ${files} files, ${bytesText(bytes)}, ${sealed ? 'sealed' : 'not sealed'}`
      : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${files} files, ${bytesText(bytes)}`,
    ...(live === undefined ? [] : [liveText(live)]),
    ...(problems.some(({ code }) => code === 'E_CACHE_CORRUPT' || code === 'E_CACHE_FORMAT')
      ? ['softshard repair CACHE mends it; --weights FILE --data DATA where answers are lost']
      : []),
  ].join('\n');

const optionsSchema = z.strictObject({
  cache: z.string().describe('folder of the cache').meta({ positional: true, placeholder: 'CACHE' }),
  live: z
    .int()
    .min(1)
    .optional()
    .describe('views to compute again with the teacher (--weights, --data) and compare')
    .meta({ unit: 'views' }),
  seed: z.int().min(0).default(0).describe('of the choice of these views'),
  ...recordedTeacherOptions,
});

type Options = z.output<typeof optionsSchema>;

/** Recomputes some views. Modules of the engine are loaded for that alone. */
async function recomputed(options: Options, count: number, context: StepContext): Promise<LiveReport> {
  const { cache: folder, seed } = options;
  const { namedFiles, openRecordedTeacher } = await import('../teach/recorded-teacher.ts');
  const files = namedFiles(options);
  const store = folderStore(folder);
  const cache = await openCache(store, {
    ...{ allowUnsealed: true, codecs: HEAD_CODECS, signal: context.signal },
  });
  const teacher = await openRecordedTeacher(cache.manifest, folder, files, context, cache);
  try {
    return await verifyLive({
      ...{ store, cache, teacher, count, seed },
      onView: (done, total) => context.emit({ type: 'step', done, total }),
    });
  } finally {
    await teacher.close();
  }
}

export const command = defineStep({
  name: 'verify',
  summary: 'Reads every byte of a cache and checks every digest. Ends with 1 when anything is wrong.',
  environment: async (options) =>
    options.live === undefined
      ? undefined
      : chooseEngine(options, await engineOfCache(options.cache), process.env),
  options: optionsSchema,
  run: async (options, context): Promise<VerifyResult> => {
    const { cache, live: count } = options;
    const began = performance.now();
    let told = began;
    let started = false;
    const report = await verifyCache(folderStore(cache), {
      signal: context.signal,
      onUnit: (done, total) => {
        if (!started) {
          context.emit({
            type: 'start',
            version: EVENT_FORMAT,
            message: `verifying ${cache}: ${total} units`,
            total,
          });
          started = true;
        }
        if (done < total && performance.now() - told < TELL_MS) return;
        told = performance.now();
        const rate = done / Math.max(1e-3, (told - began) / 1000);
        const of = { of: 'units', rateOf: 'units' } as const;
        context.emit({ type: 'step', done, total, ...of, rate, etaS: (total - done) / rate });
      },
    });
    if (count === undefined) return report;
    if (report.problems.some(({ code }) => code !== 'E_CACHE_INCOMPLETE')) {
      context.warn('no view was recomputed, since the cache is damaged: repair it first');
      return report;
    }
    const live = await recomputed(options, count, context);
    return { ...report, problems: [...report.problems, ...live.problems], live };
  },
  describe: verifyText,
  exitCode: ({ problems }) => (problems.length === 0 ? EXIT.ok : EXIT.failure),
});

stepMain(import.meta.url, command);
