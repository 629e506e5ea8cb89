/** A small data set of images on disk, for tests of decoding. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Sample } from '../../src/data/sample.ts';
import { formulaPixels } from './formula-pixels.ts';
import { labelsOf, SIZES } from './view-bank.ts';

export interface PictureSet {
  readonly folder: string;
  readonly samples: readonly Sample[];
  remove(): Promise<void>;
}

/** PNG and JPEG files of the bank's sizes in a temporary folder. */
export async function pictureSet(): Promise<PictureSet> {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-views-'));
  const samples: Sample[] = [];
  for (const [index, { width, height }] of SIZES.entries()) {
    const path = `${index}.${index % 2 === 0 ? 'png' : 'jpg'}`;
    const file = join(folder, path);
    const { pixels } = formulaPixels(width, height, 29 * index);
    await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
    samples.push({ index, path, file, digest: '', width, height, labels: labelsOf(index) });
  }
  return { folder, samples, remove: () => rm(folder, { recursive: true }) };
}
