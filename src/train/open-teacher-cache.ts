/** The cache that a run learns from, checked against its images and options. */
import { augmentationSchema, type Augmentation } from '../augment/augmentation.ts';
import type { Hyp } from '../augment/hyp.ts';
import { partnerIdentity } from '../augment/partners.ts';
import type { Cache } from '../cache/cache-reader.ts';
import { firstDifference } from '../cache/identity.ts';
import { canonicalJson, shortJson } from '../text/canonical-json.ts';
import type { MergeRule } from '../cache/merge-caches.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { describeTeacherCache, type TeacherCache } from '../teach/teacher-cache.ts';
import { openCaches } from './open-caches.ts';
import type { DataContext } from './run-data.ts';

/** What a training reads answers from: a cache, or a live teacher. */
export interface AnswerReader extends Pick<Cache, 'manifest' | 'kinds' | 'readMany'> {
  /** Leading view indices at which all of these kinds are answered; all that the manifest states without it. */
  viewsOf?(kinds: readonly string[]): number;
}

export interface OpenedCache {
  readonly reader: AnswerReader;
  readonly teacher: TeacherCache;
  /** Whether the answers come from a teacher that runs now. */
  readonly live: boolean;
  close(): Promise<void>;
}

/** Opens the caches of a run. Throws as `openCaches` and `checkTeacher` do. */
export async function openTeacherCache(
  caches: readonly string[],
  options: { readonly follow: boolean; readonly merge: MergeRule; readonly imgsz: number },
  dataset: Dataset,
  context: DataContext,
): Promise<OpenedCache> {
  const { reader, teacher, close } = await openCaches(caches, options, context);
  try {
    checkTeacher(teacher, dataset, options.imgsz, caches.join(', '));
  } catch (error) {
    await close();
    throw error;
  }
  return { reader, teacher, live: false, close };
}

/** Describes the teacher behind some answers. Throws as `checkTeacher` does. */
export function checkAnswers(
  reader: AnswerReader,
  dataset: Dataset,
  imgsz: number,
  path: string,
): TeacherCache {
  const teacher = describeTeacherCache(reader.manifest);
  checkTeacher(teacher, dataset, imgsz, path);
  return teacher;
}

/**
 * Throws E_CACHE_IDENTITY when answers are to other images, in another image size, or to views of other labelled images
 * where partners were drawn among them.
 */
function checkTeacher(teacher: TeacherCache, dataset: Dataset, imgsz: number, path: string): void {
  const differs = (what: string, expected: string, found: string, remedy: string): SoftshardError =>
    new SoftshardError('E_CACHE_IDENTITY', {
      message: `The cache was made for ${what}.`,
      where: path,
      expected,
      found,
      remedy,
    });
  if (teacher.dataDigest !== dataset.digest) {
    throw differs(
      'other images than these',
      `data digest ${dataset.digest} (${dataset.samples.length} images)`,
      `data digest ${teacher.dataDigest} (${teacher.samples} images)`,
      'Give the --data, --split and --bad-images that the cache was made with, or teach again.',
    );
  }
  if (teacher.imageSize !== imgsz) {
    throw differs(
      'another image size',
      String(imgsz),
      String(teacher.imageSize),
      `Use --imgsz ${teacher.imageSize}.`,
    );
  }
  const partners = firstDifference(
    canonicalJson({ partners: partnerIdentity(dataset.samples, teacher.augmentation) }),
    canonicalJson({ partners: teacher.partners }),
  );
  if (partners !== undefined) {
    throw differs(
      'other labelled images, among which the partners of their mosaics were drawn',
      `${partners.path} ${shortJson(partners.expected)}`,
      shortJson(partners.found),
      'Train on the labels that the cache was made with, or teach again into another cache.',
    );
  }
}

/**
 * An augmentation key of `train --hyp` must agree with the cache, whose views are fixed. Throws E_OPTION_CONFLICT naming
 * the key.
 */
export function checkAugmentation(hyp: Hyp, cached: Augmentation): void {
  for (const key of Object.keys(augmentationSchema.shape) as (keyof Augmentation)[]) {
    const value = cached[key] ?? 0;
    const asked = hyp.augmentation[key] ?? 0;
    if (!hyp.given.has(key) || asked === value) continue;
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The hyper-parameters ask for another augmentation than the cached views have.',
      where: `hyp key ${key}`,
      expected: `${value} (the cache's)`,
      found: String(asked),
      remedy: `Remove ${key} from the hyper-parameters of train, or teach with --hyp into another cache.`,
    });
  }
}
