/** COCO's json of boxes: `images`, `annotations` and `categories` in one object. */
import { readFile } from 'node:fs/promises';
import { reasonOf, SoftshardError } from '../errors.ts';
import { isRecord } from '../text/plain-record.ts';
import {
  leftOut,
  type AnnotatedImage,
  type AnnotatedImages,
  type PositionedAnnotation,
} from './annotated-image.ts';
import type { LabelProblem } from './label-row.ts';

type Record_ = Readonly<Record<string, unknown>>;

/** A file read and taken apart, before its images are located. */
export interface CocoFile {
  readonly file: string;
  readonly images: readonly { readonly id: number; readonly name: string; readonly record: Record_ }[];
  readonly annotations: readonly unknown[];
  /** By category id, in ascending order. */
  readonly categories: ReadonlyMap<number, string>;
}

const failure = (file: string, expected: string, found: string, cause?: unknown): SoftshardError =>
  new SoftshardError('E_DATA_YAML', {
    message: 'The annotation file is no COCO json.',
    where: file,
    expected,
    found,
    ...(cause === undefined ? {} : { cause }),
  });

function listIn(content: Record_, key: string, file: string): readonly unknown[] {
  const value = content[key];
  if (Array.isArray(value)) return value as readonly unknown[];
  throw failure(file, `an object with the lists images, annotations and categories`, `no list ${key}`);
}

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;

/** Reads a file. Throws E_DATA_YAML naming what is missing of images and categories, with their positions (0-based). */
export async function readCocoJson(file: string): Promise<CocoFile> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw failure(file, 'JSON', reasonOf(cause).slice(0, 200), cause);
  }
  if (!isRecord(content))
    throw failure(file, 'an object', Array.isArray(content) ? 'a list' : typeof content);
  const images = listIn(content, 'images', file).map((record, i) => {
    const id = isRecord(record) ? wholeNumber(record['id']) : undefined;
    const name = isRecord(record) ? record['file_name'] : undefined;
    if (!isRecord(record) || id === undefined || typeof name !== 'string' || name === '') {
      throw failure(
        `${file}, images[${i}]`,
        'a whole id and a file_name',
        JSON.stringify(record).slice(0, 120),
      );
    }
    return { id, name, record };
  });
  const categories = listIn(content, 'categories', file).map((record, i) => {
    const id = isRecord(record) ? wholeNumber(record['id']) : undefined;
    const name = isRecord(record) ? record['name'] : undefined;
    if (id === undefined || typeof name !== 'string') {
      throw failure(
        `${file}, categories[${i}]`,
        'a whole id and a name',
        JSON.stringify(record).slice(0, 120),
      );
    }
    return [id, name] as const;
  });
  return {
    file,
    images,
    annotations: listIn(content, 'annotations', file),
    categories: new Map(categories.sort(([a], [b]) => a - b)),
  };
}

/** Class index of every category: its place by ascending id, or among `names`. Throws E_DATA_YAML on an unknown one. */
function classesOf(coco: CocoFile, names: readonly string[] | undefined): ReadonlyMap<number, number> {
  return new Map(
    [...coco.categories].map(([id, name], i) => {
      const index = names === undefined ? i : names.indexOf(name);
      if (index >= 0) return [id, index];
      throw new SoftshardError('E_DATA_YAML', {
        message: 'A category of the annotation file is none of the classes of the data set.',
        where: coco.file,
        expected: `one of ${names?.slice(0, 12).join(', ') ?? ''}`,
        found: `${name} (category ${id})`,
      });
    }),
  );
}

const isBox = (value: unknown): value is readonly [number, number, number, number] =>
  Array.isArray(value) &&
  value.length === 4 &&
  value.every((v) => typeof v === 'number' && Number.isFinite(v));

const problemAt = (position: string, message: string, expected: string, found: unknown): LabelProblem => ({
  kind: 'malformed',
  position,
  message,
  expected,
  found: found === undefined ? 'nothing' : JSON.stringify(found),
});

function readAnnotation(
  record: Record_,
  position: string,
  classes: ReadonlyMap<number, number>,
): PositionedAnnotation | LabelProblem {
  const { bbox, category_id: category, iscrowd, area } = record;
  if (!isBox(bbox)) {
    return problemAt(
      position,
      'A box that cannot be read.',
      'bbox: [left, top, width, height], pixels',
      bbox,
    );
  }
  const classIndex = typeof category === 'number' ? classes.get(category) : undefined;
  if (classIndex === undefined) {
    const expected = 'the id of one of the categories';
    return {
      ...problemAt(position, 'A category that the file does not list.', expected, category),
      kind: 'class-range',
    };
  }
  const [left, top, width, height] = bbox;
  return {
    position,
    classIndex,
    left,
    top,
    width,
    height,
    area: typeof area === 'number' ? area : width * height,
    kind: iscrowd === 1 || iscrowd === true ? 'crowd' : 'object',
  };
}

/**
 * The annotations of a file by image; `pathOf` gives the absolute path of a `file_name`. Classes are the categories by
 * ascending id (which for COCO's 80 are YOLO's classes), or those of `names` by name. Boxes without an area, and
 * annotations of images that the file does not list, are left out and named in the warnings; other faults become the
 * problem of their image. Throws E_DATA_YAML on a category that `names` lacks.
 */
export function cocoAnnotations(
  coco: CocoFile,
  pathOf: (name: string) => string,
  names: readonly string[] | undefined,
): AnnotatedImages {
  const { file } = coco;
  const classes = classesOf(coco, names);
  const found = new Map<number, { annotations: PositionedAnnotation[]; problem?: LabelProblem }>();
  for (const { id } of coco.images) found.set(id, { annotations: [] });
  const flat: string[] = [];
  const homeless: string[] = [];
  for (const [i, record] of coco.annotations.entries()) {
    const id = isRecord(record) ? wholeNumber(record['id']) : undefined;
    const position = id === undefined ? `annotations[${i}]` : `annotation ${id}`;
    const image = isRecord(record) ? found.get(wholeNumber(record['image_id']) ?? NaN) : undefined;
    if (!isRecord(record) || image === undefined) {
      homeless.push(position);
      continue;
    }
    const read = readAnnotation(record, position, classes);
    if ('message' in read) image.problem ??= read;
    else if (read.width <= 0 || read.height <= 0) flat.push(position);
    else image.annotations.push(read);
  }
  const images = new Map<string, AnnotatedImage>();
  for (const { id, name, record } of coco.images) {
    const [width, height] = [wholeNumber(record['width']), wholeNumber(record['height'])];
    const size = width === undefined || height === undefined ? undefined : { width, height };
    images.set(pathOf(name), { file, size, ...(found.get(id) ?? { annotations: [] }) });
  }
  return {
    names: names ?? [...coco.categories.values()],
    images,
    warnings: [
      ...leftOut(file, 'boxes without an area', flat),
      ...leftOut(file, 'of images that the file does not list', homeless),
    ],
  };
}
