/** The data yaml of YOLO: where the images of each split lie, and what the classes are called. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { reasonOf, SoftshardError, type FailureDetail } from '../errors.ts';
import { readClassNames } from './class-names.ts';
import { cocoSource } from './coco-folder.ts';
import type { DatasetDescription, ImageSource, SourceSplit } from './dataset-description.ts';

const SPLIT_KEYS = ['train', 'val', 'test', 'unlabelled'] as const;
const KNOWN_KEYS: ReadonlySet<string> = new Set([...SPLIT_KEYS, 'path', 'names', 'nc', 'download']);

const failure = (message: string, detail: Omit<FailureDetail, 'message'>): SoftshardError =>
  new SoftshardError('E_DATA_YAML', { message, ...detail });

async function readMapping(file: string): Promise<ReadonlyMap<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw failure('The data yaml cannot be read.', { where: file, found: reasonOf(error), cause: error });
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const where = line === undefined ? file : `${file}:${line}`;
    const [found = error.message] = error.message.split('\n');
    throw failure('The data yaml is no valid YAML.', { where, found, cause: error });
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    throw failure('The data yaml is no valid YAML.', { where: file, found: reasonOf(cause), cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = value === null ? 'an empty file' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
    const expected = 'a mapping with the keys path, train, val, names';
    throw failure('The data yaml describes no data set.', { where: file, expected, found });
  }
  return new Map(Object.entries(value));
}

function entriesOf(value: unknown, where: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry === 'string' && entry.trim() !== '') return entry.trim();
    const expected = 'a folder or list file, or a list of them';
    throw failure('A split that names no path.', { where, expected, found: JSON.stringify(entry) });
  });
}

/** root/entry; where that does not exist and the entry starts with `../`, the same without it. */
function locate(root: string, entry: string, where: string): string {
  const first = resolve(root, entry);
  if (existsSync(first)) return first;
  const second = entry.startsWith('../') ? resolve(root, entry.slice(3)) : undefined;
  if (second !== undefined && existsSync(second)) return second;
  throw failure('The data yaml names a path that does not exist.', {
    where,
    expected: 'a folder of images, or a text file that lists them',
    found: second === undefined ? `nothing at ${first}` : `nothing at ${first} nor at ${second}`,
    remedy: 'Correct it. A relative path starts at the key path, which starts at the folder of the yaml.',
  });
}

/**
 * Reads a data yaml: `path` (root, relative to the yaml's own folder, which is the default), `train`, `val`, `test`
 * and `unlabelled` (each a path or list of paths: folders, list files or json files of COCO, relative to the root), `names` (list or map)
 * and/or `nc`. `download` is never run; other keys give a warning. Only the splits in `wanted` have to exist on disk.
 * Throws E_DATA_YAML.
 */
export async function readDatasetYaml(
  file: string,
  wanted: readonly SourceSplit[] = SPLIT_KEYS,
): Promise<DatasetDescription> {
  const source = resolve(file);
  const mapping = await readMapping(source);
  const path = mapping.get('path') ?? '.';
  if (typeof path !== 'string') {
    const found = JSON.stringify(path);
    throw failure('The root is no path.', { where: `${source}, key path`, expected: 'a folder', found });
  }
  const root = resolve(dirname(source), path);
  const sources: ImageSource[] = [];
  for (const split of SPLIT_KEYS) {
    const value = mapping.get(split);
    if (value === undefined || value === null || value === '') continue;
    const where = `${source}, key ${split}`;
    for (const entry of entriesOf(value, where)) {
      const located = wanted.includes(split) ? locate(root, entry, where) : resolve(root, entry);
      const isCoco = extname(located).toLowerCase() === '.json';
      sources.push(
        isCoco
          ? cocoSource(located, root, split)
          : { split, path: located, labelled: split !== 'unlabelled' },
      );
    }
  }
  if (sources.length === 0) {
    const expected = `at least one of the keys ${SPLIT_KEYS.join(', ')}`;
    throw failure('The data yaml names no images.', { where: source, expected, found: 'none of them' });
  }
  const warnings = [...mapping.keys()]
    .filter((key) => !KNOWN_KEYS.has(key))
    .map((key) => `${source}: the key "${key}" is not used.`);
  const names = readClassNames(mapping.get('names'), mapping.get('nc'), source);
  return { source, root, sources, names, warnings };
}
