/** Teaches, and keeps what it cost, which a later command that only finds the cache cannot know. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { errnoOf } from '../flow/file-error.ts';
import type { StepContext } from '../flow/step-command.ts';
import type { CacheRef } from './artefacts.ts';
import { perform } from './perform.ts';
import { teach, type TeachStepOptions } from './steps.ts';

export interface TimedCache {
  readonly cache: CacheRef;
  /** Seconds that the teacher took for all units; null where that is not known. */
  readonly seconds: number | null;
}

const noteSchema = z.looseObject({ seconds: z.number().nonnegative() });

async function recorded(file: string): Promise<number | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(file, 'utf8'))).seconds;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError)
      return null;
    throw error;
  }
}

/**
 * Performs `teach`. Its time goes into a file beside the cache (`CACHE.time.json`); where some units were there before,
 * the time of the others counts for them too. `clock` gives milliseconds.
 */
export async function timedTeach(
  options: TeachStepOptions,
  context: StepContext,
  clock: () => number,
): Promise<TimedCache> {
  const began = clock();
  const cache = await perform(teach(options), context);
  const elapsed = (clock() - began) / 1000;
  const note = `${cache.dir}.time.json`;
  const written = cache.units - cache.found;
  if (written === 0) return { cache, seconds: await recorded(note) };
  const seconds = (elapsed * cache.units) / written;
  await writeFileAtomic(note, Buffer.from(`${JSON.stringify({ seconds })}\n`));
  return { cache, seconds };
}
