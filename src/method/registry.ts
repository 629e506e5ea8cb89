/** The one list of methods: each a yaml in `configs`, named by its file. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { reasonOf, SoftshardError } from '../errors.ts';
import { nearestName } from '../text/nearest-name.ts';
import type { Method } from './method.ts';

/** The methods that come with the package, in the order of `docs/methods.md`. */
export const METHODS = [
  'labels',
  'labels-scaled',
  'soft',
  'soft-unlabelled',
  'ld',
  'dkd',
  'l2',
  'decoded',
  'split',
  'kl',
  'pseudo',
  'features',
  'at',
  'pkd',
  'cwd',
  'fgd',
  'mgd',
  'fitnets',
  'fitnets-frozen',
  'fitnets-redrawn',
  'rtmdet',
  'yolov6',
] as const;
export type MethodName = (typeof METHODS)[number];

/** What every comparison trains besides: labels alone, and labels alone with the hard loss doubled. */
export const CONTROLS = ['labels', 'labels-scaled'] as const satisfies readonly MethodName[];

/** Whether a method of that name comes with the package. */
export const isMethodName = (name: string): name is MethodName => METHODS.some((known) => known === name);

/** The file behind a name: an existing yaml first, then a built-in one. Throws E_LOSS naming the nearest. */
function fileOf(source: string): string | URL {
  if (/\.ya?ml$/.test(source) && existsSync(source)) return source;
  if (isMethodName(source)) return new URL(`./configs/${source}.yaml`, import.meta.url);
  const near = nearestName(source, METHODS);
  throw new SoftshardError('E_LOSS', {
    message: 'There is no such method.',
    found: source,
    expected: `a yaml file, or one of ${METHODS.join(', ')}`,
    ...(near === undefined ? {} : { remedy: `Did you mean ${near}?` }),
  });
}

/**
 * Reads a method: one of `METHODS`, or a yaml file of your own (a file comes first). Its name is that of the file.
 * Throws E_LOSS when there is none, or it is malformed.
 */
export async function readMethod(source: string): Promise<Method> {
  const file = fileOf(source);
  const name = basename(source).replace(/\.ya?ml$/, '');
  let values: unknown;
  try {
    values = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new SoftshardError('E_LOSS', {
      message: `The method ${name} cannot be read.`,
      where: source,
      found: reasonOf(cause),
      cause,
    });
  }
  // The check knows every loss, and so loads TensorFlow.js: not before it is needed.
  const { checkedMethod } = await import('./checked-method.ts');
  return checkedMethod(name, values, source);
}

/** What a method of one training distils, as it was written. Throws E_LOSS for a method of several stages. */
export async function methodSettings(name: MethodName): Promise<Readonly<Record<string, unknown>>> {
  const { stages } = await readMethod(name);
  const [stage] = stages;
  if (stage !== undefined && stages.length === 1) return stage.settings;
  throw new SoftshardError('E_LOSS', {
    message: `The method ${name} is ${stages.length} trainings, one after the other.`,
    where: '--distill',
    remedy: `Use softshard run method --set method=${name}.`,
  });
}
