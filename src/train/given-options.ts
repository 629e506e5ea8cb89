/** What the person gave to `train`, as it was: the command line, the contents of option files, and single settings. */
import { readFile } from 'node:fs/promises';
import type { Json } from '../text/canonical-json.ts';
import type { JsonRecord } from '../cache/identity.ts';
import { argvOf, commandLine } from '../cli/argv-of.ts';
import { errnoOf, fileError } from '../flow/file-error.ts';
import { trainOptionsSchema, type TrainOptions } from './train-options.ts';

/** A file's name and text; the text is null where the name is that of a built-in. */
async function givenFile(file: string): Promise<JsonRecord> {
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { file, text: null };
    throw fileError(error, file, 'read');
  }
}

/** The command line that asks for these options; it is meant for the folder in which it was given. */
export const trainCommand = (options: TrainOptions): string =>
  commandLine('train', argvOf(trainOptionsSchema, options));

/** The texts of `--hyp`, `--distill` and `--cfg`, and the settings of `--set`. Throws E_FILE. */
export async function givenOptions({ hyp, distill, cfg, set }: TrainOptions): Promise<JsonRecord> {
  return {
    ...(hyp === undefined ? {} : { hyp: await givenFile(hyp) }),
    ...(distill === undefined ? {} : { distill: await givenFile(distill) }),
    ...(cfg === undefined ? {} : { cfg: await givenFile(cfg) }),
    set: set as Json,
  };
}
