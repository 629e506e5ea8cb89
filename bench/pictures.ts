/** The pictures that the steps are measured on: rendered shapes with labels, under the 80 classes of a large teacher. */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { renderShapes } from '../src/shapes/render-shapes.ts';

/** Rendered once; a larger set repeats them under other names. */
const RENDERED = 64;

export interface Pictures {
  /** The data yaml. */
  readonly data: string;
  readonly count: number;
}

/** Writes `count` pictures of `side` pixels into `folder/NAME`, and a data yaml with splits train and val. */
export const makePictures = async (
  folder: string,
  name: string,
  count: number,
  side: number,
): Promise<Pictures> => {
  const root = join(folder, name);
  const labelled = Math.min(count, RENDERED);
  await renderShapes({ folder: join(root, 'rendered'), labelled, unlabelled: 0, test: 0, side, seed: 0 });
  const stems = (await readdir(join(root, 'rendered', 'images', 'train')))
    .map((file) => parse(file).name)
    .sort();
  for (const split of ['train', 'val'])
    for (const kind of ['images', 'labels']) await mkdir(join(root, kind, split), { recursive: true });
  for (let i = 0; i < count; i++) {
    const stem = stems[i % stems.length] ?? '';
    const split = i === 0 ? ['train', 'val'] : ['train'];
    for (const target of split)
      for (const [kind, extension] of [
        ['images', 'png'],
        ['labels', 'txt'],
      ] as const)
        await copyFile(
          join(root, 'rendered', kind, 'train', `${stem}.${extension}`),
          join(root, kind, target, `${String(i).padStart(5, '0')}.${extension}`),
        );
  }
  await rm(join(root, 'rendered'), { recursive: true });
  const data = join(root, 'data.yaml');
  const names = Array.from({ length: 80 }, (_, i) => `  ${i}: class ${i}`);
  await writeFile(
    data,
    ['path: .', 'train: images/train', 'val: images/val', 'names:', ...names, ''].join('\n'),
  );
  return { data, count };
};
