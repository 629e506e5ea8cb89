/** Data sets without a yaml: a folder that holds images/ and labels/, directly or by split. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { reasonOf, SoftshardError } from '../errors.ts';
import type { DatasetDescription, ImageSource } from './dataset-description.ts';
import { splitOf } from './split-folder.ts';

const EXPECTED = 'images/ and labels/, directly or by split (images/train or train/images), or a data yaml';

async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => entry.name);
  } catch (error) {
    throw new SoftshardError('E_DATA_YAML', {
      message: 'The data set cannot be read.',
      where: folder,
      expected: EXPECTED,
      found: reasonOf(error),
      cause: error,
    });
  }
}

/** Whether a folder has label files of YOLO: `labels/`, or `SPLIT/labels/`. */
export async function hasLabelFolder(root: string): Promise<boolean> {
  const places = [root, ...(await foldersIn(root)).filter(splitOf).map((name) => join(root, name))];
  return places.some((place) => existsSync(join(place, 'labels')));
}

/** classes.txt, one name a line, at the root or in labels/. */
export async function classNamesIn(root: string): Promise<readonly string[] | undefined> {
  for (const file of [join(root, 'classes.txt'), join(root, 'labels', 'classes.txt')]) {
    if (!existsSync(file)) continue;
    const names = (await readFile(file, 'utf8')).trim().split('\n');
    if (names[0] !== '') return names.map((name) => name.trim());
  }
  return undefined;
}

/** images/, images/SPLIT/, with labels/ beside. */
async function sourcesUnderImages(root: string): Promise<readonly ImageSource[]> {
  const images = join(root, 'images');
  const labelled = existsSync(join(root, 'labels'));
  const sources: ImageSource[] = [];
  for (const name of await foldersIn(images)) {
    const split = splitOf(name);
    if (split === undefined) continue;
    sources.push({ split, path: join(images, name), labelled: labelled && split !== 'unlabelled' });
  }
  const exclude = new Set(sources.map((source) => source.path));
  return [...sources, { split: 'other', path: images, labelled, exclude }];
}

/** SPLIT/images/ with SPLIT/labels/ beside. */
function sourcesBySplit(root: string, folders: readonly string[]): readonly ImageSource[] {
  return folders.flatMap((name) => {
    const split = splitOf(name);
    const path = join(root, name, 'images');
    if (split === undefined || !existsSync(path)) return [];
    const labelled = split !== 'unlabelled' && existsSync(join(root, name, 'labels'));
    return [{ split, path, labelled }];
  });
}

/**
 * Describes a folder of one of these layouts: `images/` + `labels/`; `images/SPLIT/` + `labels/SPLIT/`;
 * `SPLIT/images/` + `SPLIT/labels/`. SPLIT is train, val (valid, validation), test or unlabelled, and a year may
 * follow. Images whose layout has no labels folder at all are unlabelled: nothing is known about them. Class names
 * come from `classes.txt`, if any. Throws E_DATA_YAML for any other folder.
 */
export async function describeFolder(folder: string): Promise<DatasetDescription> {
  const root = resolve(folder);
  const folders = await foldersIn(root);
  const sources = folders.includes('images') ? await sourcesUnderImages(root) : sourcesBySplit(root, folders);
  if (sources.length === 0) {
    throw new SoftshardError('E_DATA_YAML', {
      message: 'The folder holds no data set.',
      where: root,
      expected: EXPECTED,
      found: folders.length === 0 ? 'no folders' : `the folders ${folders.slice(0, 12).join(', ')}`,
    });
  }
  return { source: root, root, sources, names: await classNamesIn(root), warnings: [] };
}
