/** What a comparison keeps of one method at one seed. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { firstDifference, type JsonRecord } from '../cache/identity.ts';
import { SoftshardError } from '../errors.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { errnoOf, fileError } from '../flow/file-error.ts';
import { canonicalJson, shortJson } from '../text/canonical-json.ts';

/** What a pipeline must return to be compared. */
export const comparedResultSchema = z.looseObject({
  /** Measured figures by name (`mAP50_95`), larger being better. */
  metrics: z.record(z.string(), z.number()),
  /** Batches trained on. */
  steps: z.number(),
  /** Whether the method learns from a teacher. */
  readsTeacher: z.boolean().default(true),
  /** The whole loss by the hard loss in it; null where that is not known. */
  lossScale: z.number().nullable().default(null),
  /** Of the teacher, once for all runs of its cache (null: unknown, or none), and of this training. */
  seconds: z.looseObject({ teach: z.number().nullable().default(null), train: z.number() }),
});

export type ComparedResult = z.infer<typeof comparedResultSchema>;

/** One training of a comparison. */
export interface MethodRun extends ComparedResult {
  readonly method: string;
  readonly seed: number;
}

const recordSchema = z.looseObject({
  settings: z.record(z.string(), z.unknown()),
  result: comparedResultSchema,
});

/**
 * The result kept in `file`; undefined where there is none. Throws E_RUN_OPTIONS naming the first difference when it
 * was made by other settings, E_FILE when it cannot be read.
 */
export async function readMethodRun(
  file: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<ComparedResult | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, file, 'read');
  }
  let record: z.infer<typeof recordSchema>;
  try {
    record = recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SoftshardError('E_FILE', {
      message: 'The result of a comparison is malformed.',
      where: file,
      remedy: 'Delete the file; what it names will be trained, or found, again.',
      cause,
    });
  }
  const difference = firstDifference(canonicalJson(settings), record.settings as JsonRecord);
  if (difference === undefined) return record.result;
  throw new SoftshardError('E_RUN_OPTIONS', {
    message: 'The folder holds a comparison made by other settings.',
    where: `${file}, ${difference.path}`,
    expected: shortJson(difference.found),
    found: shortJson(difference.expected),
    remedy: 'Repeat its settings to go on with it, or give another --folder.',
  });
}

/** Keeps a result, atomically, in a folder that is made where it is missing. */
export async function writeMethodRun(
  file: string,
  settings: Readonly<Record<string, unknown>>,
  result: ComparedResult,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const text = `${JSON.stringify(canonicalJson({ settings, result }), null, 2)}\n`;
  await writeFileAtomic(file, Buffer.from(text));
}
