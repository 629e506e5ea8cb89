/** Data sets annotated by COCO's json: where the files and their images lie. */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { SoftshardError } from '../errors.ts';
import { cocoAnnotations, readCocoJson, type CocoFile } from './coco-json.ts';
import type { DatasetDescription, ImageSource, SourceSplit } from './dataset-description.ts';
import { namesIn } from './names-in.ts';
import { splitOf } from './split-folder.ts';

const INSTANCES = /^instances_(.+)\.json$/;
/** What Roboflow calls the file beside the images of a split. */
const BESIDE = '_annotations.coco.json';

/** The json files of a folder: `annotations/instances_*.json`, `instances_*.json`, `SPLIT/_annotations.coco.json`. */
async function cocoFilesIn(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of [join(root, 'annotations'), root]) {
    files.push(
      ...(await namesIn(folder)).filter((name) => INSTANCES.test(name)).map((name) => join(folder, name)),
    );
  }
  for (const name of await namesIn(root)) {
    const file = join(root, name, BESIDE);
    if (splitOf(name) !== undefined && existsSync(file)) files.push(file);
  }
  return files.sort();
}

/** The part of the name that says the split, such as train2017; the folder's where the name says none. */
const subsetOf = (file: string): string => INSTANCES.exec(basename(file))?.[1] ?? basename(dirname(file));

/** Folder that the names of a file start at: the first in which one of its first images lies. */
function imageFolder(coco: CocoFile, root: string): string {
  const subset = subsetOf(coco.file);
  const folders = [
    dirname(coco.file),
    join(root, 'images', subset),
    join(root, subset),
    join(root, 'images'),
    root,
  ];
  const first = coco.images.slice(0, 20);
  const found = folders.find((folder) => first.some(({ name }) => existsSync(resolve(folder, name))));
  if (found !== undefined || first.length === 0) return found ?? root;
  throw new SoftshardError('E_DATA_YAML', {
    message: 'The images of an annotation file are not there.',
    where: coco.file,
    expected: `${first[0]?.name ?? ''} in one of ${folders.join(', ')}`,
    found: 'none of the first images',
  });
}

/** Whether a file is JSON by name and beginning: that of a yaml may be a mapping in braces, too. */
export async function isJsonFile(file: string): Promise<boolean> {
  if (extname(file).toLowerCase() !== '.json') return false;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trimStart()
      .startsWith('{');
  } finally {
    await handle.close();
  }
}

/** A json file as a source of images; it is read when its split is asked for. */
export function cocoSource(file: string, root: string, split: SourceSplit): ImageSource {
  return {
    split,
    path: file,
    labelled: split !== 'unlabelled',
    readAnnotations: async (names) => {
      const coco = await readCocoJson(file);
      const folder = imageFolder(coco, root);
      return cocoAnnotations(coco, (name) => resolve(folder, name), names);
    },
  };
}

const rootOf = (file: string): string => {
  const folder = dirname(file);
  return basename(folder) === 'annotations' ? dirname(folder) : folder;
};

/** Describes one json file as a data set of a single split, by its name. */
export function describeCocoFile(file: string): DatasetDescription {
  const source = resolve(file);
  const root = rootOf(source);
  const split = splitOf(subsetOf(source)) ?? 'other';
  return { source, root, sources: [cocoSource(source, root, split)], names: undefined, warnings: [] };
}

/**
 * Describes a folder with json files of COCO (see `cocoFilesIn`); the split is in their names, as in
 * `instances_val2017.json`. Their images lie beside the file, or in `images/SUBSET/`, `SUBSET/`, `images/` or the
 * folder itself. Undefined where there is no such file.
 */
export async function describeCocoFolder(folder: string): Promise<DatasetDescription | undefined> {
  const root = resolve(folder);
  const files = await cocoFilesIn(root);
  if (files.length === 0) return undefined;
  const sources = files.map((file) => cocoSource(file, root, splitOf(subsetOf(file)) ?? 'other'));
  return { source: root, root, sources, names: undefined, warnings: [] };
}
