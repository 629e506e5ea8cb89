/** The class names of a data set. */
import { SoftshardError } from '../errors.ts';
import type { Dataset, Sample } from './sample.ts';

/** Names for classes that have none: class0, class1, ... */
export const placeholderNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `class${i}`);

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

const bad = (where: string, expected: string, found: string): SoftshardError =>
  new SoftshardError('E_DATA_YAML', { message: 'Class names that cannot be used.', where, expected, found });

function listOf(names: unknown, where: string): readonly string[] {
  const list: unknown[] = [];
  if (Array.isArray(names)) {
    list.push(...(names as readonly unknown[]));
  } else if (typeof names === 'object' && names !== null) {
    const entries = new Map(Object.entries(names));
    for (let i = 0; i < entries.size; i++) {
      if (!entries.has(String(i))) {
        const keys = [...entries.keys()].slice(0, 12).join(', ');
        throw bad(where, `the keys 0...${entries.size - 1}, each once`, `no key ${i} among ${keys}`);
      }
      list.push(entries.get(String(i)));
    }
  } else {
    throw bad(where, 'a list, or a map from class index to name', String(names));
  }
  return list.map((name, i) => {
    if (!isScalar(name)) throw bad(where, 'a name for each class', `${JSON.stringify(name)} for class ${i}`);
    return String(name);
  });
}

/**
 * Class names from the values of `names` (list, or map from index to name) and `nc` (number of classes) of a data
 * yaml; `where` is the yaml. With `nc` alone, placeholder names. Throws E_DATA_YAML when both are missing, empty or
 * contradict each other.
 */
export function readClassNames(names: unknown, nc: unknown, where: string): readonly string[] {
  const hasNames = names !== undefined && names !== null;
  const hasCount = nc !== undefined && nc !== null;
  if (hasCount && (typeof nc !== 'number' || !Number.isInteger(nc) || nc < 1)) {
    throw bad(`${where}, key nc`, 'a whole number >= 1', JSON.stringify(nc));
  }
  if (!hasNames) {
    if (!hasCount) throw bad(where, 'the key names (or nc)', 'neither');
    return placeholderNames(nc);
  }
  const list = listOf(names, `${where}, key names`);
  if (list.length === 0) throw bad(`${where}, key names`, 'at least one class', 'none');
  if (hasCount && nc !== list.length) {
    throw bad(where, `nc equal to the number of names, ${list.length}`, `nc: ${nc}`);
  }
  return list;
}

/** Highest class index among the labels, -1 without any. */
export function highestClass(samples: readonly Pick<Sample, 'labels'>[]): number {
  let highest = -1;
  for (const { labels } of samples) {
    for (const { classIndex } of labels ?? []) highest = Math.max(highest, classIndex);
  }
  return highest;
}

/**
 * Checks that every label's class is below `classes`, the number a model or a list of names has. Throws E_LABEL
 * naming the first image at fault.
 */
export function checkClasses(samples: readonly Pick<Sample, 'labels' | 'path'>[], classes: number): void {
  for (const { path, labels } of samples) {
    const beyond = labels?.find(({ classIndex }) => classIndex >= classes);
    if (beyond === undefined) continue;
    throw new SoftshardError('E_LABEL', {
      message: 'A class index beyond the number of classes.',
      where: `labels of ${path}`,
      expected: `0...${classes - 1}`,
      found: String(beyond.classIndex),
      remedy: 'Use a model and a data yaml with the same classes as the labels.',
    });
  }
}

/**
 * Checks that two splits of a data set name the same classes in the same order: each may have an annotation file of
 * its own. Throws E_DATA_YAML naming the first class that differs. Splits without names are not compared.
 */
export function checkSameClasses(
  train: Pick<Dataset, 'names' | 'namesKnown' | 'root'>,
  other: Pick<Dataset, 'names' | 'namesKnown'>,
  split: string,
): void {
  if (!train.namesKnown || !other.namesKnown) return;
  const length = Math.max(train.names.length, other.names.length);
  const at = Array.from({ length }, (_, i) => i).find((i) => train.names[i] !== other.names[i]);
  if (at === undefined) return;
  const said = ({ names }: Pick<Dataset, 'names'>): string =>
    `${names.length} classes, class ${at} ${names[at] === undefined ? 'missing' : `"${names[at]}"`}`;
  throw new SoftshardError('E_DATA_YAML', {
    message: `The split ${split} names other classes than the one to train on.`,
    where: train.root,
    expected: said(train),
    found: said(other),
    remedy:
      'Give all annotation files the same categories, or a data yaml with names, which maps them by name.',
  });
}
