/** Data sets for classifiers: a folder for each split, and in it a folder of images for each class. */
import { join, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import type { AnnotatedImage, AnnotationReader } from './annotated-image.ts';
import { compareBytes } from './byte-order.ts';
import { classNamesIn } from './dataset-folder.ts';
import type { DatasetDescription, ImageSource, SourceSplit } from './dataset-description.ts';
import { listImages } from './image-list.ts';
import { namesIn } from './names-in.ts';
import { splitOf } from './split-folder.ts';

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

const foldersIn = async (folder: string): Promise<string[]> => {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
  const folders: string[] = [];
  for (const name of names) if (await isFolder(join(folder, name))) folders.push(name);
  return folders.sort(compareBytes);
};

/** The images of one split: every image below SPLIT/CLASS/ is of that class. */
const sourceOf = (
  root: string,
  split: SourceSplit,
  path: string,
  classes: readonly string[],
): ImageSource => {
  const readAnnotations: AnnotationReader = async (given) => {
    const names = given ?? classes;
    const images = new Map<string, AnnotatedImage>();
    for (const name of await foldersIn(path)) {
      const file = join(path, name);
      const imageClass = names.indexOf(name);
      const problem = {
        kind: 'class-range' as const,
        message: 'A folder that is none of the classes of the data set.',
        expected: `one of ${names.slice(0, 12).join(', ')}`,
        found: name,
      };
      const of = {
        file,
        size: undefined,
        annotations: [],
        ...(imageClass < 0 ? { problem } : { imageClass }),
      };
      for (const image of await listImages({ split, path: file, labelled: true }, root))
        images.set(image, of);
    }
    return { names, images, warnings: [] };
  };
  return { split, path, labelled: true, readAnnotations };
};

/**
 * Describes a folder of `SPLIT/CLASS/` with images, SPLIT being train, val or test, and `unlabelled/` with images
 * of which nothing is known. Classes are the folders' names in byte order, unless `classes.txt` at the root orders
 * them. An image has one label, which covers it. Undefined for another folder.
 */
export async function describeClassFolder(folder: string): Promise<DatasetDescription | undefined> {
  const root = resolve(folder);
  const splits = (await foldersIn(root)).flatMap((name): [SourceSplit, string][] => {
    const split = splitOf(name);
    return split === undefined ? [] : [[split, join(root, name)]];
  });
  const found = new Set<string>();
  for (const [split, path] of splits) {
    if (split === 'unlabelled') continue;
    for (const name of await foldersIn(path)) {
      // Another layout: SPLIT/images/.
      if (name === 'images' || name === 'labels') return undefined;
      const images = await listImages({ split, path: join(path, name), labelled: true }, root);
      if (images.length > 0) found.add(name);
    }
  }
  if (found.size === 0) return undefined;
  const names = (await classNamesIn(root)) ?? [...found].sort(compareBytes);
  const sources = splits.map(([split, path]): ImageSource =>
    split === 'unlabelled' ? { split, path, labelled: false } : sourceOf(root, split, path, names),
  );
  return { source: root, root, sources, names, warnings: [] };
}
