/** Where the images of a data set lie and what its classes are called, before any image is opened. */
import type { AnnotationReader } from './annotated-image.ts';
import { SoftshardError } from '../errors.ts';

/** What can be asked for. `train` includes the unlabelled images; `all` is everything. */
export const SPLITS = ['train', 'val', 'test', 'all'] as const;
export type Split = (typeof SPLITS)[number];

/** What a source belongs to. `other` is what lies in no split of a folder. */
export type SourceSplit = 'train' | 'val' | 'test' | 'unlabelled' | 'other';

/** A folder of images, searched recursively, or a text file or annotation file that lists images. */
export interface ImageSource {
  readonly split: SourceSplit;
  /** Absolute path. */
  readonly path: string;
  /** False where nothing is known about the images: their labels are undefined, not empty. */
  readonly labelled: boolean;
  /** Absolute paths of folders below `path` that do not belong to it. */
  readonly exclude?: ReadonlySet<string>;
  /** Lists the images with their annotations, where these are not in label files. */
  readonly readAnnotations?: AnnotationReader;
}

export interface DatasetDescription {
  /** The data yaml, or the folder. Absolute. */
  readonly source: string;
  /** Absolute root that sample paths are relative to. */
  readonly root: string;
  readonly sources: readonly ImageSource[];
  /** Undefined where nothing names the classes (a folder without classes.txt). */
  readonly names: readonly string[] | undefined;
  /** What was noticed and ignored, for a person. */
  readonly warnings: readonly string[];
}

/** The kinds of sources that `split` consists of. */
export const sourceSplitsOf = (split: Split): readonly SourceSplit[] => {
  if (split === 'train') return ['train', 'unlabelled'];
  return split === 'all' ? ['train', 'val', 'test', 'unlabelled', 'other'] : [split];
};

/**
 * The sources of `split`; without one, of `train`, or all of them where there is no training split. Throws
 * E_DATA_YAML when the split asked for is not there.
 */
export function selectSources(
  description: DatasetDescription,
  split: Split | undefined,
): { readonly split: Split; readonly sources: readonly ImageSource[] } {
  const { sources, source } = description;
  const chosen = split ?? (sources.some((s) => s.split === 'train') ? 'train' : 'all');
  const kinds = sourceSplitsOf(chosen);
  const selected = sources.filter((s) => kinds.includes(s.split));
  if (selected.length > 0) return { split: chosen, sources: selected };
  const there = [...new Set(sources.map((s) => s.split))].filter((s) => s !== 'other');
  throw new SoftshardError('E_DATA_YAML', {
    message: `The data set has no split ${chosen}.`,
    where: source,
    expected: `images for ${kinds.join(' or ')}`,
    found: there.length === 0 ? 'images without splits' : `only ${there.join(', ')}`,
    remedy: 'Name another split (--split train|val|test|all), or add it to the data set.',
  });
}
