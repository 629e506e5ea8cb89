/** The distillation terms of a run: read, and checked against the student and the cache. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SoftshardError } from '../errors.ts';
import { fileError } from '../flow/file-error.ts';
import { checkDistillation } from '../loss/check-distillation.ts';
import {
  distillationOptions,
  needsHeads,
  parseDistillationOptions,
  type DistillationOptions,
} from '../loss/distillation-options.ts';
import { isMethodName, methodSettings } from '../method/registry.ts';
import type { ModelGraph } from '../model/graph.ts';
import { isRecord } from '../text/plain-record.ts';
import type { OpenedCache } from './open-teacher-cache.ts';
import type { TrainOptions } from './train-options.ts';

const NO_DISTILLATION = { output: { kind: 'none' } } as const;

/** Whether settings ask for no more than the loss against labels. */
const asksForLabels = (changes: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(changes).every(
    ([key, value]) => key === 'hard' || (key === 'output' && isRecord(value) && value['kind'] === 'none'),
  );

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}

/**
 * Reads the terms, with the settings `changes` laid over them. Throws E_LOSS on a bad one, E_FILE, E_OPTION_CONFLICT
 * when there are some and no teacher.
 */
export async function readDistillation(
  options: TrainOptions,
  changes: Readonly<Record<string, unknown>>,
  hasCache: boolean,
): Promise<DistillationOptions> {
  if (hasCache) {
    if (options.distill === undefined) return distillationOptions({}, changes);
    if (!existsSync(options.distill) && isMethodName(options.distill)) {
      return distillationOptions(await methodSettings(options.distill), changes, options.distill);
    }
    return parseDistillationOptions(await readText(options.distill), changes, options.distill);
  }
  if (options.distill !== undefined || !asksForLabels(changes)) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Distillation terms need the answers of a teacher.',
      expected: '--cache DIR or --live-teacher FILE',
      found: 'neither',
      remedy: 'Make a cache with softshard teach, or leave the distillation options out.',
    });
  }
  return distillationOptions(NO_DISTILLATION, changes);
}

/** Throws E_LOSS when an output loss, or its selection of detections, is not what the cache holds. */
function checkOutputAnswers(distillation: DistillationOptions, { teacher }: OpenedCache): void {
  const { detections } = teacher;
  const { output } = distillation;
  if (detections === undefined) return;
  if (needsHeads(distillation, true)) {
    throw new SoftshardError('E_LOSS', {
      message: "The cache holds the teacher's detections, and not its heads.",
      where: 'distill.output.kind',
      expected: 'pseudo or none, and no pixels by objectness',
      found: output.kind,
      remedy: 'Teach with --answers heads into another cache.',
    });
  }
  for (const key of ['confidence', 'iou', 'maxDetections'] as const) {
    if (output[key] === undefined || output[key] === detections[key]) continue;
    throw new SoftshardError('E_LOSS', {
      message: 'The detections were chosen when the cache was made.',
      where: `distill.output.${key}`,
      expected: `${detections[key]} (the cache's)`,
      found: `${output[key]}`,
      remedy: `Leave ${key} out, or teach again into another cache.`,
    });
  }
}

/** Throws E_LOSS when a term does not fit the student, the teacher or what the cache holds. */
export function checkRunDistillation(
  distillation: DistillationOptions,
  graph: ModelGraph,
  cache: OpenedCache,
  epochs: number,
): void {
  checkDistillation(distillation, {
    student: { head: graph.head, layers: graph.layers.length + 1 },
    teacher: { head: cache.teacher.head, layers: cache.teacher.layerChannels.length + 1 },
    epochs,
    hasDetections: cache.teacher.detections !== undefined,
  });
  checkOutputAnswers(distillation, cache);
  for (const hint of distillation.hints) {
    if (cache.reader.kinds.includes(`feature.${hint.teacher}`)) continue;
    throw new SoftshardError('E_LOSS', {
      message: `The cache holds no features of the teacher's layer ${hint.teacher}.`,
      expected: `one of ${cache.reader.kinds.join(', ')}`,
      found: `feature.${hint.teacher}`,
      remedy: `Teach with --hints ${hint.teacher} into another cache.`,
    });
  }
}
