/** Hyper-parameter files: the original's yaml keys, those of the augmentation and those of training. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { z } from 'zod';
import { SoftshardError, reasonOf } from '../errors.ts';
import { augmentationSchema, refuseCopyPaste, type Augmentation } from './augmentation.ts';
import { nearestName } from '../text/nearest-name.ts';
import { trainingHypSchema, type TrainingHyp } from './training-hyp.ts';

/** The files that come with the package; a name works with or without `hyp.` and `.yaml`. */
export const BUILTIN_HYPS = ['scratch-low', 'scratch-med', 'scratch-high', 'no-augmentation'] as const;

export interface Hyp {
  readonly augmentation: Augmentation;
  readonly training: TrainingHyp;
  /** The keys that file or settings named, as against defaults: off for augmentation, scratch-low for training. */
  readonly given: ReadonlySet<string>;
}

const augmentationKeys = Object.keys(augmentationSchema.shape);
const trainingKeys = Object.keys(trainingHypSchema.shape);

/** Every known key, in the order of the schemas. */
export const HYP_KEYS: readonly string[] = [...trainingKeys, ...augmentationKeys];

const pick = (values: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(keys.filter((key) => values[key] !== undefined).map((key) => [key, values[key]]));

function validated<T extends z.ZodType>(
  schema: T,
  values: Record<string, unknown>,
  where: string,
): z.infer<T> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = String(issue?.path[0]);
  throw new SoftshardError('E_HYP', {
    message: `The hyper-parameter ${key} has a value that cannot be used.`,
    where: `${where}, key ${key}`,
    expected: issue?.message ?? 'a number in range',
    found: JSON.stringify(values[key]),
  });
}

/**
 * Checks keys and values. Throws E_HYP on an unknown key (naming the nearest known one), on a value that is no number
 * or out of range. `where` names the source in errors.
 */
export function parseHyp(values: Readonly<Record<string, unknown>>, where: string): Hyp {
  for (const key of Object.keys(values)) {
    if (HYP_KEYS.includes(key)) continue;
    const nearest = nearestName(key, HYP_KEYS);
    throw new SoftshardError('E_HYP', {
      message: `There is no hyper-parameter named ${key}.`,
      where,
      expected: `one of ${HYP_KEYS.join(', ')}`,
      found: key,
      ...(nearest === undefined ? {} : { remedy: `Did you mean ${nearest}?` }),
    });
  }
  return {
    augmentation: validated(augmentationSchema, pick(values, augmentationKeys), where),
    training: validated(trainingHypSchema, pick(values, trainingKeys), where),
    given: new Set(Object.keys(pick(values, HYP_KEYS))),
  };
}

/** The file behind a name: an existing file first, then a builtin. */
function fileOf(source: string): string | URL {
  if (existsSync(source)) return source;
  const name = source.replace(/^hyp\./, '').replace(/\.ya?ml$/, '');
  const builtin = BUILTIN_HYPS.find((known) => known === name);
  if (builtin !== undefined) return new URL(`./hyps/hyp.${builtin}.yaml`, import.meta.url);
  throw new SoftshardError('E_HYP', {
    message: 'The hyper-parameter file does not exist.',
    where: source,
    expected: `a yaml file, or one of ${BUILTIN_HYPS.join(', ')}`,
  });
}

/** A setting's text as a number where it is one: `--set hyp.mosaic=0` brings text. */
const settingValue = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;

/**
 * Reads a hyper-parameter yaml, or a builtin by name (`scratch-low`, `hyp.scratch-low.yaml`; a file of that name
 * comes first), with `settings` laid over it. Throws E_HYP as `parseHyp`, and when the file is missing or no mapping.
 */
export async function readHyp(
  source: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Hyp> {
  const file = fileOf(source);
  let values: unknown;
  try {
    values = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new SoftshardError('E_HYP', {
      message: 'The hyper-parameter file cannot be read.',
      where: source,
      found: reasonOf(cause),
      cause,
    });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new SoftshardError('E_HYP', {
      message: 'The hyper-parameter file holds no mapping.',
      where: source,
      expected: 'lines of `key: number`',
    });
  }
  const laid = Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, settingValue(v)]));
  return parseHyp({ ...values, ...laid }, source);
}

/** The augmentation to draw views from. Throws E_HYP when `copy_paste` is above 0 (see `refuseCopyPaste`). */
export function augmentationOf(hyp: Hyp): Augmentation {
  refuseCopyPaste(hyp.augmentation);
  return hyp.augmentation;
}
