/** Reads a data set from disk: what its yaml or folder describes, every image checked, every label read. */
import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { reasonOf, SoftshardError } from '../errors.ts';
import { compareBytes } from './byte-order.ts';
import { highestClass, placeholderNames } from './class-names.ts';
import { datasetDigest, labelsDigest } from './dataset-digest.ts';
import {
  selectSources,
  sourceSplitsOf,
  type DatasetDescription,
  type ImageSource,
  type Split,
} from './dataset-description.ts';
import { describeCocoFile, describeCocoFolder, isJsonFile } from './coco-folder.ts';
import { openImageChecks, type ImageCheckStore } from './image-checks.ts';
import { describeClassFolder } from './class-folder.ts';
import { describeFolder, hasLabelFolder } from './dataset-folder.ts';
import { readDatasetYaml } from './dataset-yaml.ts';
import { listImages } from './image-list.ts';
import { mapBounded } from './map-bounded.ts';
import { readSample, type SampleSource } from './read-sample.ts';
import type { Dataset, Sample } from './sample.ts';
import { describeVocFolder } from './voc-folder.ts';

export interface ReadDatasetOptions {
  /**
   * A data yaml; a folder that holds images/ and labels/, directly or by split; a json file of COCO, or a folder of
   * such files and images; a folder of images and xml files of Pascal VOC; a folder of splits with a folder of images
   * for each class.
   */
  readonly data: string;
  /** Default: `train` (with the unlabelled images), or `all` for a folder without a training split. */
  readonly split?: Split | undefined;
  /** Leave unusable images and label files out, or fail on the first. */
  readonly badImages: 'drop' | 'error';
  /** Where to keep what was found about images, so that unchanged ones are not read again; nowhere by default. */
  readonly checks?: ImageCheckStore | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each image. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called with what was noticed and ignored (unknown yaml keys). */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Images opened at once; more only wait for the disk and libuv's four threads. */
const CONCURRENCY = 8;

/** The splits that a data set describes (`train` where there are only unlabelled images too). Throws E_DATA_YAML. */
export async function datasetSplits(data: string): Promise<readonly Exclude<Split, 'all'>[]> {
  const { description } = await describe(data, undefined);
  return (['train', 'val', 'test'] as const).filter((split) =>
    description.sources.some((source) => sourceSplitsOf(split).includes(source.split)),
  );
}

/** Describes `data`; a yaml always has a default split, a folder only where it has a training split. */
async function describe(
  data: string,
  split: Split | undefined,
): Promise<{ readonly description: DatasetDescription; readonly split: Split | undefined }> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(data)).isDirectory();
  } catch (error) {
    throw new SoftshardError('E_DATA_YAML', {
      message: 'There is no such data set.',
      where: data,
      expected: 'a data yaml, a json file of COCO, or a folder of images and labels',
      found: reasonOf(error),
      cause: error,
    });
  }
  if (isFolder) return { description: await describeAnyFolder(data), split };
  if (await isJsonFile(data)) return { description: describeCocoFile(data), split };
  const chosen = split ?? 'train';
  return { description: await readDatasetYaml(data, sourceSplitsOf(chosen)), split: chosen };
}

/** Label files come first; COCO's and VOC's files are looked for where there are none. */
async function describeAnyFolder(folder: string): Promise<DatasetDescription> {
  const found = (await hasLabelFolder(folder))
    ? undefined
    : ((await describeCocoFolder(folder)) ??
      (await describeVocFolder(folder)) ??
      (await describeClassFolder(folder)));
  return found ?? describeFolder(folder);
}

const posixPath = (root: string, file: string): string => relative(root, file).split(sep).join('/');

interface ListedSamples {
  readonly samples: readonly SampleSource[];
  readonly names: readonly string[] | undefined;
  readonly warnings: readonly string[];
}

/** The images of all sources, each once, in byte order of their paths, and the class names. */
async function listSamples(
  description: DatasetDescription,
  sources: readonly ImageSource[],
): Promise<ListedSamples> {
  const { root } = description;
  const byPath = new Map<string, SampleSource>();
  let { names } = description;
  const warnings: string[] = [];
  for (const source of sources) {
    const annotated = await source.readAnnotations?.(names);
    names ??= annotated?.names;
    warnings.push(...(annotated?.warnings ?? []));
    for (const file of annotated?.images.keys() ?? (await listImages(source, root))) {
      const path = posixPath(root, file);
      const known = byPath.get(path);
      if (known !== undefined && known.labelled !== source.labelled) {
        throw new SoftshardError('E_DATA_YAML', {
          message: 'An image is listed both with and without annotation.',
          where: description.source,
          expected: 'each image either in a split or under unlabelled',
          found: path,
        });
      }
      byPath.set(path, { path, file, labelled: source.labelled, annotated: annotated?.images.get(file) });
    }
  }
  const samples = [...byPath.values()].sort((a, b) => compareBytes(a.path, b.path));
  return { samples, names, warnings };
}

/**
 * Reads a data set. Every image file is read once (or, with `checks`, once until it changes): hashed, its header checked (format, at least 10 pixels a side, at
 * most 64 MP), and decoded where its end looks cut off. An image of a labelled split without a label file is a
 * background image: its labels are empty. Images listed under `unlabelled`, or of a folder without labels/, have
 * undefined labels. Samples are in byte order of their POSIX paths relative to the root (`../` outside of it);
 * `digest` and `labelsDigest` are defined in dataset-digest.ts. Where nothing names the classes they are called
 * class0, class1, ... up to the highest index.
 *
 * Throws E_DATA_YAML, E_DATA_EMPTY (no image, or all dropped), E_IMAGE and E_LABEL (with `badImages: 'error'`; a class
 * beyond the names always), E_FILE, E_ABORTED.
 */
export async function readDataset(options: ReadDatasetOptions): Promise<Dataset> {
  const { badImages, signal, onProgress } = options;
  const { description, split: wanted } = await describe(options.data, options.split);
  for (const warning of description.warnings) options.onWarning?.(warning);
  const { split, sources } = selectSources(description, wanted);
  const { samples: listed, names, warnings } = await listSamples(description, sources);
  for (const warning of warnings) options.onWarning?.(warning);
  const classes = names?.length;
  let done = 0;
  const checks = await openImageChecks(options.checks, description.source);
  const results = await mapBounded(listed, { concurrency: CONCURRENCY, signal }, async (source) => {
    const result = await readSample(source, { classes, badImages, checks });
    onProgress?.(++done, listed.length);
    return result;
  });
  await checks.save();
  const samples: Sample[] = [];
  const dropped: { readonly path: string; readonly reason: string }[] = [];
  for (const result of results) {
    if ('reason' in result) dropped.push(result);
    else samples.push({ index: samples.length, ...result });
  }
  const [firstDropped] = dropped;
  if (samples.length === 0) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: `The split ${split} holds no usable image.`,
      where: description.source,
      found:
        firstDropped === undefined
          ? `no image file in ${sources.map((source) => source.path).join(', ')}`
          : `${dropped.length} unusable images, the first ${firstDropped.path}: ${firstDropped.reason}`,
    });
  }
  return {
    root: description.root,
    split,
    names: names ?? placeholderNames(highestClass(samples) + 1),
    namesKnown: names !== undefined,
    samples,
    digest: datasetDigest(samples, dropped),
    labelsDigest: labelsDigest(samples),
    dropped,
  };
}
