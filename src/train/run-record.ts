/** `run.json`: what a run was asked for and what made it; a resumed run must ask for the same. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { firstDifference, type JsonRecord } from '../cache/identity.ts';
import { canonicalJson, shortJson, type Json } from '../text/canonical-json.ts';
import { reasonOf, SoftshardError } from '../errors.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { engineRecord, type EngineRecord } from '../flow/engine-choice.ts';
import { errnoOf } from '../flow/file-error.ts';
import { defaultIdentityOptions } from './train-options.ts';

export const RUN_FORMAT = { format: 'softshard-run', major: 1, minor: 0 } as const;

const plain = z.record(z.string(), z.unknown() as z.ZodType<Json>);

export const runRecordSchema = z.looseObject({
  format: z.literal(RUN_FORMAT.format),
  major: z.literal(RUN_FORMAT.major),
  minor: z.int().min(0),
  /** Everything that decides the result: options, digests of data, labels, cache and initial weights. */
  identity: plain,
  /** Engine, builds and threads: must be equal for the same bits. */
  provenance: plain,
  /** Where things were, for a person; not compared. */
  places: plain,
});

export type RunRecord = z.infer<typeof runRecordSchema>;

export const runFile = (folder: string): string => join(folder, 'run.json');

/** Reads a run's record; undefined where there is none. Throws E_FILE on one that cannot be read. */
export async function readRunRecord(folder: string): Promise<RunRecord | undefined> {
  const file = runFile(folder);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new SoftshardError('E_FILE', { message: 'The run cannot be read.', where: file, cause: error });
  }
  try {
    return runRecordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SoftshardError('E_FILE', {
      message: 'The run record is malformed, or of a later major version.',
      where: file,
      expected: `${RUN_FORMAT.format} ${RUN_FORMAT.major}.x`,
      found: reasonOf(cause).slice(0, 200),
      cause,
    });
  }
}

export async function writeRunRecord(
  folder: string,
  content: Pick<RunRecord, 'identity' | 'provenance' | 'places'>,
): Promise<void> {
  const text = `${JSON.stringify(canonicalJson({ ...RUN_FORMAT, ...content }), null, 2)}\n`;
  await writeFileAtomic(runFile(folder), Buffer.from(text));
}

const epochBreak = z.object({ epoch: z.int(), from: z.int(), to: z.int() });

/** Where the epochs of a run were raised: after so many were done, from a number to a higher one. */
export type EpochBreak = Readonly<z.infer<typeof epochBreak>>;

/** The breaks of a run; none where it was never asked for more epochs. */
export function breaksOf(recorded: Pick<RunRecord, 'places'> | undefined): readonly EpochBreak[] {
  const parsed = z.array(epochBreak).safeParse(recorded?.places['breaks']);
  return parsed.success ? parsed.data : [];
}

/** An identity in which an option that did not exist when the run was begun has its default. */
function withDefaults(identity: JsonRecord): JsonRecord {
  const options = z.record(z.string(), z.unknown()).safeParse(identity['options']);
  if (!options.success) return identity;
  return canonicalJson({
    ...identity,
    options: { ...defaultIdentityOptions(), ...options.data },
  }) as JsonRecord;
}

/**
 * Throws E_RUN_OPTIONS naming the first option in which the run and the command differ, E_CACHE_PROVENANCE when the
 * run was made by another engine or build. `epochs` is compared by the caller, since it may grow.
 */
export function compareRun(
  recorded: RunRecord,
  asked: { readonly identity: JsonRecord; readonly provenance: JsonRecord },
  folder: string,
): void {
  const options = firstDifference(canonicalJson(asked.identity), withDefaults(recorded.identity));
  if (options !== undefined) {
    throw new SoftshardError('E_RUN_OPTIONS', {
      message: 'The run exists and was made with other options.',
      where: `${folder}, ${options.path}`,
      expected: shortJson(options.found),
      found: shortJson(options.expected),
      remedy: 'Repeat the options of the run to resume it, or give another --name.',
    });
  }
  // In the order of the asking side, which names the engine first.
  const provenance = firstDifference(asked.provenance, recorded.provenance);
  if (provenance !== undefined) {
    throw new SoftshardError('E_CACHE_PROVENANCE', {
      message: 'The run was begun by another build or setting, which would give other bits.',
      where: `${folder}, ${provenance.path}`,
      expected: shortJson(provenance.found),
      found: shortJson(provenance.expected),
      remedy: 'Resume with what began it, or begin a new run under another --name.',
    });
  }
}

/** The engine that a part of the provenance names under `key`; undefined where there is none. */
function engineIn(part: unknown, key: 'name' | 'engine'): EngineRecord | undefined {
  const parsed = z.record(z.string(), z.unknown()).safeParse(part);
  if (!parsed.success) return undefined;
  return engineRecord(parsed.data[key], parsed.data['threads'], parsed.data['isa']);
}

/** The engine that began a run; undefined where the record names none. */
export const engineOfRun = ({ provenance }: Pick<RunRecord, 'provenance'>): EngineRecord | undefined =>
  engineIn(provenance['engine'], 'name');

/** The engine of the live teacher that answered a run; undefined where there was none. */
export const engineOfLiveTeacher = ({
  provenance,
}: Pick<RunRecord, 'provenance'>): EngineRecord | undefined => engineIn(provenance['teacher'], 'engine');
