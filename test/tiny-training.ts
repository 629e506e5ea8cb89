/** A data set and a model small enough to train in a test: coloured squares on noise, one level, a few filters. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { drawKey, integerBelow } from '../src/random/keyed.ts';

export const TINY_SIDE = 64;

/** Two classes (red and green squares), anchors of the squares' sizes, strides 8 and 16. */
export const TINY_MODEL = `
nc: 2
depth_multiple: 1.0
width_multiple: 1.0
anchors:
  - [12, 12, 16, 16]
  - [24, 24, 32, 32]
backbone:
  - [-1, 1, Conv, [8, 6, 2, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, C3, [8]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, SPPF, [16, 5]]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[4, 5], 1, Detect, [nc, anchors]]
`;

export interface TinyData {
  /** The data yaml. */
  readonly data: string;
  /** The model yaml. */
  readonly model: string;
}

/** Writes images/{train,val,unlabelled}, labels and both yamls into `folder`; the same bytes every time. */
export async function makeTinyData(
  folder: string,
  counts: { readonly train: number; readonly unlabelled: number; readonly val: number },
): Promise<TinyData> {
  for (const [split, count] of Object.entries(counts)) {
    await mkdir(join(folder, 'images', split), { recursive: true });
    await mkdir(join(folder, 'labels', split), { recursive: true });
    for (let i = 0; i < count; i++) {
      const key = drawKey(7, `tiny-${split}`, i);
      const pixels = Buffer.alloc(TINY_SIDE * TINY_SIDE * 3);
      for (let p = 0; p < pixels.length; p++) pixels[p] = integerBelow(key, p, 60) + 80;
      const side = 10 + integerBelow(key, 20_000, 20);
      const x = integerBelow(key, 20_001, TINY_SIDE - side);
      const y = integerBelow(key, 20_002, TINY_SIDE - side);
      const classIndex = integerBelow(key, 20_003, 2);
      for (let yy = y; yy < y + side; yy++) {
        for (let xx = x; xx < x + side; xx++) pixels[(yy * TINY_SIDE + xx) * 3 + classIndex] = 250;
      }
      const name = String(i).padStart(3, '0');
      await sharp(pixels, { raw: { width: TINY_SIDE, height: TINY_SIDE, channels: 3 } })
        .png()
        .toFile(join(folder, 'images', split, `${name}.png`));
      if (split === 'unlabelled') continue;
      const box = [x + side / 2, y + side / 2, side, side].map((v) => v / TINY_SIDE);
      await writeFile(join(folder, 'labels', split, `${name}.txt`), `${classIndex} ${box.join(' ')}\n`);
    }
  }
  const data = join(folder, 'tiny.yaml');
  const splits = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([split]) => `${split}: images/${split}`);
  await writeFile(data, ['path: .', ...splits, 'names: [red, green]', ''].join('\n'));
  const model = join(folder, 'tiny-model.yaml');
  await writeFile(model, TINY_MODEL);
  return { data, model };
}
