/** Renders the demo's data set: circles, squares and triangles, few of them with labels. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import sharp from 'sharp';
import { stringify } from 'yaml';
import { SoftshardError } from '../errors.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { labelText, paintScene } from './paint-scene.ts';
import { drawScene } from './scene.ts';
import { SHAPE_CLASSES } from './shape.ts';

export interface RenderShapesOptions {
  /** Where the data set goes: images/, labels/, shapes.yaml. */
  readonly folder: string;
  /** Pictures with labels to train on. */
  readonly labelled: number;
  /** Pictures without labels; 0 for none. */
  readonly unlabelled: number;
  /** Pictures held out, with labels. */
  readonly test: number;
  /** Pixels a side. */
  readonly side: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface RenderedShapes {
  /** The data yaml. */
  readonly data: string;
  readonly images: number;
  /** sha256 over the names and bytes of all pictures and labels, hex. */
  readonly digest: string;
  /** Whether it was there before. */
  readonly found: boolean;
}

const STAMP_FORMAT = { format: 'softshard-shapes', major: 1, minor: 0 } as const;

interface Entry {
  readonly split: 'train' | 'unlabelled' | 'test';
  readonly index: number;
  readonly image: string;
  readonly label: string | undefined;
}

const entriesOf = ({ labelled, unlabelled, test }: RenderShapesOptions): readonly Entry[] =>
  Object.entries({ train: labelled, unlabelled, test }).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, index): Entry => {
      const split = name as Entry['split'];
      const stem = String(index).padStart(5, '0');
      return {
        split,
        index,
        image: `images/${split}/${stem}.png`,
        label: split === 'unlabelled' ? undefined : `labels/${split}/${stem}.txt`,
      };
    }),
  );

/** What decides the bytes. */
const recipe = ({ labelled, unlabelled, test, side, seed }: RenderShapesOptions): object => ({
  ...STAMP_FORMAT,
  labelled,
  unlabelled,
  test,
  side,
  seed,
  sharp: sharp.versions.sharp,
});

const yamlText = ({ unlabelled }: RenderShapesOptions): string =>
  stringify({
    path: '.',
    train: 'images/train',
    ...(unlabelled > 0 ? { unlabelled: 'images/unlabelled' } : {}),
    val: 'images/test',
    test: 'images/test',
    names: SHAPE_CLASSES,
  });

/** The digest of what lies in the folder, or undefined where a file is missing. */
async function digestOf(folder: string, entries: readonly Entry[]): Promise<string | undefined> {
  const hash = createHash('sha256');
  for (const { image, label } of entries)
    for (const name of [image, ...(label === undefined ? [] : [label])]) {
      const bytes = await readFile(join(folder, name)).catch(() => undefined);
      if (bytes === undefined) return undefined;
      hash.update(`${name}\0${bytes.length}\0`).update(bytes);
    }
  return hash.digest('hex');
}

/** Whether the folder holds exactly what the recipe makes, by its stamp and by its bytes. */
async function findRendered(
  options: RenderShapesOptions,
  entries: readonly Entry[],
): Promise<string | undefined> {
  const { folder } = options;
  let stamp: unknown;
  try {
    stamp = JSON.parse(await readFile(join(folder, 'shapes.json'), 'utf8'));
    if ((await readFile(join(folder, 'shapes.yaml'), 'utf8')) !== yamlText(options)) return undefined;
  } catch {
    // Missing or half-written: it is rendered again.
    return undefined;
  }
  const digest = await digestOf(folder, entries);
  return isDeepStrictEqual(stamp, { ...recipe(options), digest }) ? digest : undefined;
}

/**
 * Renders the set, or finds it: pictures as PNG in images/{train,unlabelled,test}, label files for train and test, and
 * `shapes.yaml` with train, unlabelled, val (= test), test and names. The same options give the same bytes. What
 * images/ and labels/ held before is removed when the options differ. Throws E_ABORTED, E_FILE, E_DISK_FULL.
 */
export async function renderShapes(options: RenderShapesOptions): Promise<RenderedShapes> {
  const { folder, side, seed, signal } = options;
  const entries = entriesOf(options);
  const data = join(folder, 'shapes.yaml');
  const before = await findRendered(options, entries);
  if (before !== undefined) return { data, images: entries.length, digest: before, found: true };
  for (const name of ['images', 'labels']) await rm(join(folder, name), { recursive: true, force: true });
  for (const split of ['train', 'unlabelled', 'test'])
    for (const name of ['images', 'labels'])
      if (name === 'images' || split !== 'unlabelled')
        await mkdir(join(folder, name, split), { recursive: true });
  const renderOne = async ({ split, index, image, label }: Entry): Promise<void> => {
    if (signal?.aborted === true)
      throw new SoftshardError('E_ABORTED', { message: 'Rendering was cancelled.', cause: signal.reason });
    const scene = drawScene(seed, split, index, side);
    await writeFileAtomic(join(folder, image), await paintScene(scene, seed, split, index));
    if (label !== undefined) await writeFileAtomic(join(folder, label), Buffer.from(labelText(scene)));
  };
  const AT_ONCE = 16;
  for (let at = 0; at < entries.length; at += AT_ONCE)
    await Promise.all(entries.slice(at, at + AT_ONCE).map(renderOne));
  await writeFileAtomic(data, Buffer.from(yamlText(options)));
  const digest = (await digestOf(folder, entries)) ?? '';
  const stamp = JSON.stringify({ ...recipe(options), digest }, undefined, 2);
  await writeFileAtomic(join(folder, 'shapes.json'), Buffer.from(`${stamp}\n`));
  return { data, images: entries.length, digest, found: false };
}
