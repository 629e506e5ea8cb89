/** Data sets annotated by Pascal VOC's xml, one file an image: where images, files and splits lie. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import { leftOut, type AnnotatedImage, type AnnotationReader } from './annotated-image.ts';
import { compareBytes } from './byte-order.ts';
import { classNamesIn } from './dataset-folder.ts';
import type { DatasetDescription, ImageSource, SourceSplit } from './dataset-description.ts';
import { hasImageExtension } from './image-format.ts';
import { listImages } from './image-list.ts';
import type { LabelProblem } from './label-row.ts';
import { mapBounded } from './map-bounded.ts';
import { namesIn } from './names-in.ts';
import { splitOf } from './split-folder.ts';
import { readVocXml, type VocFile } from './voc-xml.ts';

type Parsed = VocFile | { readonly problem: LabelProblem };

const stem = (file: string): string => basename(file, extname(file));
const isXml = (name: string): boolean => name.toLowerCase().endsWith('.xml');

/** Every xml file below folders, by absolute path, read once and kept. */
function xmlReader(folders: readonly string[]): () => Promise<ReadonlyMap<string, Parsed>> {
  let known: Promise<ReadonlyMap<string, Parsed>> | undefined;
  const read = async (): Promise<ReadonlyMap<string, Parsed>> => {
    const files: string[] = [];
    for (const folder of folders) {
      files.push(...(await namesIn(folder)).filter(isXml).map((name) => join(folder, name)));
    }
    const parsed = await mapBounded(files, { concurrency: 8 }, async (file): Promise<[string, Parsed]> => [
      file,
      readVocXml(await readFile(file, 'utf8')),
    ]);
    return new Map(parsed);
  };
  return () => (known ??= read());
}

/** Class names of all files, in byte order: for VOC's own twenty classes, that of VOC. */
const namesOf = (files: Iterable<Parsed>): readonly string[] =>
  [
    ...new Set([...files].flatMap((file) => ('objects' in file ? file.objects.map(({ name }) => name) : []))),
  ].sort(compareBytes);

function annotatedImage(
  file: string,
  parsed: Parsed | undefined,
  names: readonly string[],
  flat: string[],
): AnnotatedImage {
  if (parsed === undefined) return { file, size: undefined, annotations: [] };
  if ('problem' in parsed) return { file, size: undefined, annotations: [], problem: parsed.problem };
  let problem: LabelProblem | undefined;
  const annotations = parsed.objects.flatMap(({ line, name, xmin, ymin, xmax, ymax, difficult }) => {
    const classIndex = names.indexOf(name);
    if (classIndex < 0) {
      problem ??= {
        kind: 'class-range',
        line,
        message: 'A name that is none of the classes of the data set.',
        expected: `one of ${names.slice(0, 12).join(', ')}`,
        found: name,
      };
    }
    const [width, height] = [xmax - xmin, ymax - ymin];
    if (width <= 0 || height <= 0) {
      flat.push(`${basename(file)}:${line}`);
      return [];
    }
    // Pixels are counted from 1.
    const place = { left: xmin - 1, top: ymin - 1, width, height, area: width * height };
    return [{ line, classIndex, ...place, kind: difficult ? ('difficult' as const) : ('object' as const) }];
  });
  return { file, size: parsed.size, annotations, ...(problem === undefined ? {} : { problem }) };
}

interface VocSource {
  readonly split: SourceSplit;
  /** Folder of images, or the list file: for messages. */
  readonly path: string;
  /** Absolute paths of the images. */
  readonly images: () => Promise<readonly string[]>;
  /** Folder of the xml files. */
  readonly annotations: string;
}

const sourceOf = (
  { split, path, images, annotations }: VocSource,
  root: string,
  readAll: () => Promise<ReadonlyMap<string, Parsed>>,
): ImageSource => {
  const readAnnotations: AnnotationReader = async (given) => {
    const files = await readAll();
    const names = given ?? namesOf(files.values());
    const flat: string[] = [];
    const found = (await images()).map((image): [string, AnnotatedImage] => {
      const file = join(annotations, `${stem(image)}.xml`);
      return [image, annotatedImage(file, files.get(file), names, flat)];
    });
    const where = relative(root, path) === '' ? root : path;
    return { names, images: new Map(found), warnings: leftOut(where, 'boxes without an area', flat) };
  };
  return { split, path, labelled: split !== 'unlabelled', readAnnotations };
};

/** All images below a folder. */
const imagesBelow =
  (folder: string, root: string): (() => Promise<readonly string[]>) =>
  () =>
    listImages({ split: 'other', path: folder, labelled: true }, root);

/** JPEGImages/ and Annotations/, with the splits of ImageSets/Main/ where they are. */
async function devkitSources(root: string, folders: readonly string[]): Promise<readonly VocSource[]> {
  const imageFolder = ['JPEGImages', 'images'].find((name) => folders.includes(name));
  const xmlFolder = ['Annotations', 'annotations'].find((name) => folders.includes(name));
  if (imageFolder === undefined || xmlFolder === undefined) return [];
  const annotations = join(root, xmlFolder);
  if (!(await namesIn(annotations)).some(isXml)) return [];
  const path = join(root, imageFolder);
  const all = imagesBelow(path, root);
  const lists = join(root, 'ImageSets', 'Main');
  const listed = new Map(
    (await namesIn(lists)).flatMap((name): [SourceSplit, string][] => {
      const split = extname(name) === '.txt' ? splitOf(stem(name)) : undefined;
      return split === undefined ? [] : [[split, join(lists, name)]];
    }),
  );
  const both = join(lists, 'trainval.txt');
  if (!listed.has('train') && existsSync(both)) listed.set('train', both);
  const idsOf = async (list: string): Promise<readonly string[]> =>
    (await readFile(list, 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[0] ?? '')
      .filter((id) => id !== '');
  const sources = [...listed].map(([split, list]): VocSource => ({
    split,
    path: list,
    annotations,
    images: async () => {
      const byStem = new Map((await all()).map((file) => [stem(file), file]));
      return (await idsOf(list)).map((id) => byStem.get(id) ?? join(path, `${id}.jpg`));
    },
  }));
  const rest = async (): Promise<readonly string[]> => {
    const ids = new Set((await Promise.all([...listed.values()].map(idsOf))).flat());
    return (await all()).filter((file) => !ids.has(stem(file)));
  };
  return [...sources, { split: 'other', path, annotations, images: rest }];
}

/** Images with xml files beside them: in the folder itself, or in folders named after splits. */
async function besideSources(root: string, folders: readonly string[]): Promise<readonly VocSource[]> {
  const places = [
    ...folders.flatMap((name): [SourceSplit, string][] => {
      const split = splitOf(name);
      return split === undefined ? [] : [[split, join(root, name)]];
    }),
    ['other', root] as const,
  ];
  const sources: VocSource[] = [];
  for (const [split, path] of places) {
    const names = await namesIn(path);
    if (!names.some(isXml) || !names.some(hasImageExtension)) continue;
    const images = (): Promise<readonly string[]> =>
      Promise.resolve(names.filter(hasImageExtension).map((name) => join(path, name)));
    sources.push({ split, path, annotations: path, images });
  }
  return sources;
}

/**
 * Describes a folder of one of these layouts: `JPEGImages/` (or `images/`) + `Annotations/`, with the splits
 * `ImageSets/Main/{train,val,test}.txt` where they are (`trainval.txt` is train where there is no `train.txt`); or
 * images with xml files beside them, in folders named after splits or in the folder itself. Class names come from
 * `classes.txt`, else they are those of all the files in byte order. An image without a file has no objects.
 * Undefined for another folder.
 */
export async function describeVocFolder(folder: string): Promise<DatasetDescription | undefined> {
  const root = resolve(folder);
  const folders = await namesIn(root);
  const devkit = await devkitSources(root, folders);
  const found = devkit.length > 0 ? devkit : await besideSources(root, folders);
  if (found.length === 0) return undefined;
  const readAll = xmlReader([...new Set(found.map(({ annotations }) => annotations))]);
  const sources = found.map((source) => sourceOf(source, root, readAll));
  return { source: root, root, sources, names: await classNamesIn(root), warnings: [] };
}
