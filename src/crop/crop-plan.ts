/** Which boxes of a data set become crops, where each is cut, and in which folder it goes. */
import { posix } from 'node:path';
import { compareBytes } from '../data/byte-order.ts';
import { MIN_IMAGE_SIDE } from '../data/read-sample.ts';
import type { BoxLabel, Dataset } from '../data/sample.ts';
import { drawKey } from '../random/keyed.ts';
import { permutation } from '../random/permutation.ts';

/** Pixels of the image, the right and lower ones excluded. */
export interface CropBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Crop {
  /** Sample index, and position of the box among its labels. */
  readonly sample: number;
  readonly classIndex: number;
  readonly box: CropBox;
  /** POSIX path below the output folder: SPLIT/CLASS/NAME.png or unlabelled/NAME.png. */
  readonly path: string;
}

export interface CropOptions {
  /** Added on each side, as a share of the box's longer side. */
  readonly margin: number;
  /** Boxes whose shorter side has fewer pixels are left out. */
  readonly minSide: number;
  /** Most crops of a class in a split; 0 for all. */
  readonly perClass: number;
  /** Share (0...1) of the training crops of each class whose class is not told. */
  readonly unlabelledShare: number;
  /** Of which are chosen. */
  readonly seed: number;
}

/** A class's name as that of a folder. */
export const classFolder = (name: string): string => name.replaceAll(/[/\\]/g, '-').replace(/^\./, '_');

/** The square around a box with its margin, cut off at the image's border; undefined where too little is left. */
export function cropBox(
  label: BoxLabel,
  size: { readonly width: number; readonly height: number },
  { margin, minSide }: Pick<CropOptions, 'margin' | 'minSide'>,
): CropBox | undefined {
  const [w, h] = [label.w * size.width, label.h * size.height];
  if (Math.min(w, h) < minSide) return undefined;
  const half = Math.max(w, h) * (0.5 + margin);
  const [cx, cy] = [label.cx * size.width, label.cy * size.height];
  const box = {
    left: Math.max(0, Math.floor(cx - half)),
    top: Math.max(0, Math.floor(cy - half)),
    right: Math.min(size.width, Math.ceil(cx + half)),
    bottom: Math.min(size.height, Math.ceil(cy + half)),
  };
  const least = Math.min(box.right - box.left, box.bottom - box.top);
  return least < MIN_IMAGE_SIDE ? undefined : box;
}

const stemOf = (path: string): string =>
  path
    .slice(0, path.length - posix.extname(path).length)
    .replaceAll(/\.\.\//g, '')
    .replaceAll('/', '-');

interface Candidate extends Omit<Crop, 'path'> {
  readonly name: string;
}

/** The crops of one split, in byte order of their paths: a function of the data set, the options and the seed. */
export function planCrops(
  dataset: Pick<Dataset, 'samples' | 'names'>,
  split: string,
  options: CropOptions,
): Crop[] {
  const { perClass, unlabelledShare, seed } = options;
  const byClass = new Map<number, Candidate[]>();
  for (const sample of dataset.samples) {
    for (const [k, label] of (sample.labels ?? []).entries()) {
      const box = cropBox(label, sample, options);
      if (box === undefined) continue;
      const { classIndex } = label;
      const found = byClass.get(classIndex) ?? [];
      found.push({ sample: sample.index, classIndex, box, name: `${stemOf(sample.path)}-${k}.png` });
      byClass.set(classIndex, found);
    }
  }
  const crops = [...byClass].flatMap(([classIndex, candidates]) => {
    const order = permutation(drawKey(seed, `crops-${split}`, classIndex), candidates.length);
    const chosen = [...order.slice(0, perClass === 0 ? candidates.length : perClass)];
    const hidden = split === 'train' ? Math.round(unlabelledShare * chosen.length) : 0;
    return chosen.flatMap((at, rank): Crop[] => {
      const candidate = candidates[at];
      if (candidate === undefined) return [];
      const { name, ...crop } = candidate;
      const folder =
        rank < hidden ? 'unlabelled' : `${split}/${classFolder(dataset.names[classIndex] ?? '')}`;
      return [{ ...crop, path: `${folder}/${name}` }];
    });
  });
  return crops.sort((a, b) => compareBytes(a.path, b.path));
}
