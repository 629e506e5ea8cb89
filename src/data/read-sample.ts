/** Checks one image and reads its labels. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isSoftshardError, reasonOf, SoftshardError } from '../errors.ts';
import type { ImageChecks } from './image-checks.ts';
import { decodeImage } from './decode-image.ts';
import { readImageBytes } from './image-bytes.ts';
import { endsAsItShould } from './image-format.ts';
import { readImageHeader } from './image-header.ts';
import { annotatedLabels, type AnnotatedImage } from './annotated-image.ts';
import { labelFailure, labelReason, readLabelText } from './label-file.ts';
import { labelPath } from './label-path.ts';
import type { LabelProblem } from './label-row.ts';
import type { Sample } from './sample.ts';

/** Shortest side of a usable image, pixels (YOLOv5 v7.0). */
export const MIN_IMAGE_SIDE = 10;

/** An image of the list, before it is opened. */
export interface SampleSource {
  /** Name of the sample: POSIX path relative to the root. */
  readonly path: string;
  readonly file: string;
  readonly labelled: boolean;
  /** What an annotation file says of it; undefined where its labels are in a label file. */
  readonly annotated?: AnnotatedImage | undefined;
}

export interface SampleOptions {
  /** Number of classes; undefined when nothing names them. */
  readonly classes: number | undefined;
  readonly badImages: 'drop' | 'error';
  /** What is known of images that were read before. */
  readonly checks: Pick<ImageChecks, 'check'>;
}

/** A sample without its place, or the reason to leave it out. */
export type SampleResult = Omit<Sample, 'index'> | { readonly path: string; readonly reason: string };

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Hashes the file and reads its header; decodes it only when its end gives rise to doubt. */
async function checkImage(file: string): Promise<Pick<Sample, 'digest' | 'width' | 'height'>> {
  const bytes = await readImageBytes(file);
  const { format, width, height } = await readImageHeader(bytes, file);
  if (Math.min(width, height) < MIN_IMAGE_SIDE) {
    throw new SoftshardError('E_IMAGE', {
      message: 'An image is too small.',
      where: file,
      expected: `at least ${MIN_IMAGE_SIDE} pixels a side`,
      found: `${width} x ${height} pixels`,
      remedy: 'Leave the file out (--bad-images drop).',
    });
  }
  if (!endsAsItShould(bytes, format)) await decodeImage(bytes, { name: file });
  return { digest: createHash('sha256').update(bytes).digest('hex'), width, height };
}

/** Text of a label file; empty where there is none. Throws E_FILE when it is there but cannot be read. */
async function labelText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new SoftshardError('E_FILE', {
      message: 'A label file cannot be read.',
      where: file,
      found: reasonOf(error),
      cause: error,
    });
  }
}

/** What a bad image is left out for, in one line that does not depend on where the data set lies. */
const imageReason = (error: SoftshardError): string => {
  const { message, found } = error.detail;
  return found === undefined ? message : `${message} Found ${found}.`;
};

/** Labels of a sample, or what is wrong with them: `file` says it, which is `name` wherever the data set lies. */
async function readLabels(
  { path, file, annotated }: SampleSource,
  { width, height }: Pick<Sample, 'width' | 'height'>,
  { classes }: SampleOptions,
): Promise<
  | Pick<Sample, 'labels' | 'annotations'>
  | { readonly problem: LabelProblem; readonly file: string; readonly name: string }
> {
  if (annotated !== undefined) {
    const read = annotatedLabels(annotated, width, height);
    return 'problem' in read ? { ...read, file: annotated.file, name: basename(annotated.file) } : read;
  }
  const labelFile = labelPath(file);
  const read = readLabelText(await labelText(labelFile), classes === undefined ? {} : { classes });
  return 'problem' in read ? { ...read, file: labelFile, name: labelPath(`/${path}`).slice(1) } : read;
}

/**
 * Reads one sample. With `badImages: 'drop'` an unusable image or label file comes back as a reason; with `'error'`
 * it is E_IMAGE or E_LABEL. A class beyond the names is always E_LABEL: the yaml does not belong to these labels.
 * A file that is there and cannot be read is always E_FILE.
 */
export async function readSample(source: SampleSource, options: SampleOptions): Promise<SampleResult> {
  const { path, file } = source;
  let image: Pick<Sample, 'digest' | 'width' | 'height'>;
  try {
    image = await options.checks.check(file, () => checkImage(file));
  } catch (error) {
    if (options.badImages === 'error' || !isSoftshardError(error, 'E_IMAGE')) throw error;
    return { path, reason: imageReason(error) };
  }
  if (!source.labelled) return { path, file, ...image, labels: undefined };
  const read = await readLabels(source, image, options);
  if ('problem' in read) {
    if (options.badImages === 'error' || read.problem.kind === 'class-range') {
      throw labelFailure(read.problem, read.file);
    }
    return { path, reason: labelReason(read.problem, read.name) };
  }
  return { path, file, ...image, ...read };
}
