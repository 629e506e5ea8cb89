/** A training on disk: the vectors as they are on the device, and the counters and sums beside them. */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { reasonOf, SoftshardError } from '../errors.ts';
import type { TensorData } from '../model/tensor-data.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import { restoreVectors, type TrainingState } from './training-state.ts';

export const TRAINING_STATE_FORMAT = { format: 'softshard-training-state', major: 1, minor: 1 } as const;

const row = z.record(z.string(), z.number());

/** What a checkpoint holds beside the vectors. Numbers are float64, which JSON keeps exactly. */
export const progressSchema = z.looseObject({
  format: z.literal(TRAINING_STATE_FORMAT.format),
  major: z.literal(TRAINING_STATE_FORMAT.major),
  minor: z.int().min(0),
  iteration: z.int().min(0),
  lastStep: z.int().min(-1),
  updates: z.int().min(0),
  /** Epoch and batch to train next, 0-based. */
  epoch: z.int().min(0),
  batch: z.int().min(0),
  /** Sums of the logged terms over the batches of the unfinished epoch. */
  sums: row,
  /** One row an epoch: results.csv is written from these. */
  rows: z.array(row),
  /** mAP50-95 a class (0...1) as last measured, by which `--image-weights` draws; empty before any. */
  maps: z.array(z.number()).default([]),
  /** Best fitness and the epoch (0-based) that reached it; -1 before any. */
  bestFitness: z.number(),
  bestEpoch: z.int().min(-1),
  /** Set once the last epoch is done. */
  finished: z.boolean(),
});

export type Progress = z.infer<typeof progressSchema>;

export const freshProgress = (): Progress => ({
  ...TRAINING_STATE_FORMAT,
  iteration: 0,
  lastStep: -1,
  updates: 0,
  epoch: 0,
  batch: 0,
  sums: {},
  rows: [],
  maps: [],
  bestFitness: -1,
  bestEpoch: -1,
  finished: false,
});

const VECTORS = ['weights', 'statistics', 'averagedWeights', 'averagedStatistics', 'accumulated'] as const;
const KEY = 'softshard.progress';

const vector = (data: Float32Array): TensorData => ({ dtype: 'float32', shape: [data.length], data });

/** Writes a checkpoint atomically: after a kill at any moment the file is the old or the new one, whole. */
export async function writeCheckpoint(file: string, state: TrainingState, progress: Progress): Promise<void> {
  const { vectors } = state;
  const read = (tensor: tf.Tensor1D): TensorData => vector(tensor.dataSync<'float32'>());
  const tensors = new Map<string, TensorData>([
    ...VECTORS.map((name) => [name, read(vectors[name])] as const),
    ...vectors.slots.map((slot, i) => [`slot.${i}`, read(slot)] as const),
  ]);
  await writeSafetensors(file, tensors, { [KEY]: JSON.stringify(progress) });
}

/**
 * Restores a checkpoint into `state`, whose layout it must have, and returns the progress.
 * Throws E_WEIGHTS_FORMAT when the file is not one of ours or belongs to another model.
 */
export async function readCheckpoint(file: string, state: TrainingState): Promise<Progress> {
  const { state: tensors, metadata } = await readSafetensors(file);
  const progress = parseProgress(metadata[KEY], file);
  const take = (name: string, size: number): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor?.data instanceof Float32Array && tensor.data.length === size) return tensor.data;
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The checkpoint belongs to another model or optimizer.',
      where: `${file}, ${name}`,
      expected: `float32 [${size}]`,
      found: tensor === undefined ? 'nothing' : `${tensor.dtype} [${tensor.shape.join(', ')}]`,
      remedy: 'Resume with the options that began the run, or begin a new one.',
    });
  };
  const parameters = state.parameters.size;
  const statistics = state.statisticsLayout.size;
  restoreVectors(state, {
    weights: take('weights', parameters),
    statistics: take('statistics', statistics),
    averagedWeights: take('averagedWeights', parameters),
    averagedStatistics: take('averagedStatistics', statistics),
    accumulated: take('accumulated', parameters),
    slots: state.vectors.slots.map((_, i) => take(`slot.${i}`, parameters)),
  });
  const { iteration, lastStep, updates } = progress;
  Object.assign(state.counters, { iteration, lastStep, updates });
  return progress;
}

/** The progress of a checkpoint alone: cheap, no engine needed. */
export async function readProgress(file: string): Promise<Progress> {
  const { metadata } = await readSafetensors(file);
  return parseProgress(metadata[KEY], file);
}

function parseProgress(text: string | undefined, file: string): Progress {
  try {
    return progressSchema.parse(JSON.parse(text ?? 'null'));
  } catch (cause) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The file is no checkpoint of a training, or of a later major version.',
      where: file,
      expected: `metadata ${KEY} of ${TRAINING_STATE_FORMAT.format} ${TRAINING_STATE_FORMAT.major}`,
      found: text === undefined ? 'no such metadata' : reasonOf(cause).slice(0, 200),
      cause,
    });
  }
}
