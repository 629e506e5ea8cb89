/** `softshard verify CACHE`: reads every byte of a cache and holds it to its digests. */
import { z } from 'zod';
import { folderStore } from '../cache/folder-store.ts';
import { bytesText } from '../cache/inspect.ts';
import { verifyCache, type VerifyReport } from '../cache/verify.ts';
import { EXIT } from '../errors.ts';
import { EVENT_FORMAT } from '../flow/events.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

/** Time between two lines of progress, milliseconds. */
const TELL_MS = 1000;

/** The report as lines of text, one a problem. */
export const verifyText = ({ sealed, files, bytes, problems }: VerifyReport): string =>
  [
    ...problems.map(({ file, code, what }) => `${file}: ${code} ${what}`),
    problems.length === 0
      ? `every byte is as it was written: ${files} files, ${bytesText(bytes)}, ${sealed ? 'sealed' : 'not sealed'}`
      : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${files} files, ${bytesText(bytes)}`,
  ].join('\n');

export const command = defineStep({
  name: 'verify',
  summary: 'Reads every byte of a cache and checks every digest. Ends with 1 when anything is wrong.',
  environment: 'none',
  options: z.strictObject({
    cache: z.string().describe('folder of the cache').meta({ positional: true, placeholder: 'CACHE' }),
  }),
  run: async ({ cache }, context) => {
    const began = performance.now();
    let told = began;
    let started = false;
    return verifyCache(folderStore(cache), {
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
  },
  describe: verifyText,
  exitCode: ({ problems }) => (problems.length === 0 ? EXIT.ok : EXIT.failure),
});

stepMain(import.meta.url, command);
