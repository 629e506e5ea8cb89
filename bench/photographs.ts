/** Pictures with the detail of photographs, as JPEG files: what decoding is measured on. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { drawKey, unitUniform } from '../src/random/keyed.ts';

export interface Photograph {
  readonly file: string;
  readonly width: number;
  readonly height: number;
}

/** Colours drawn on a coarse and on a fine grid, both enlarged smoothly and added. */
async function texture(index: number, cells: number, width: number, height: number): Promise<Buffer> {
  const key = drawKey(0, 'bench-photograph', index, cells);
  const rows = Math.round((cells * height) / width);
  const values = Uint8Array.from({ length: cells * rows * 3 }, (_, i) =>
    Math.floor(256 * unitUniform(key, i)),
  );
  return sharp(values, { raw: { width: cells, height: rows, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .raw()
    .toBuffer();
}

/** Writes `count` pictures of 640 x 480 or 480 x 640, quality 90, into `folder`. */
export async function makePhotographs(folder: string, count: number): Promise<readonly Photograph[]> {
  await mkdir(folder, { recursive: true });
  const made: Photograph[] = [];
  for (let i = 0; i < count; i++) {
    const [width, height] = i % 4 === 3 ? ([480, 640] as const) : ([640, 480] as const);
    const [coarse, fine] = [
      await texture(i, 12, width, height),
      await texture(i, 160, width, height),
    ] as const;
    const pixels = coarse.map((value, at) => (3 * value + (fine[at] ?? 0)) >> 2);
    const file = join(folder, `${i}.jpg`);
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(file);
    made.push({ file, width, height });
  }
  return made;
}
