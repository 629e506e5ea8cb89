import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { readDataset } from '../../src/data/read-dataset.ts';
import type { Dataset } from '../../src/data/sample.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { evaluateModel } from '../../src/evaluate/evaluate-model.ts';
import { createInference, type InferenceModel } from '../../src/model/inference.ts';
import { makeTinyData } from '../tiny-training.ts';
import { tinyGraph, tinyState } from './tiny-model.ts';

describe('evaluateModel', () => {
  let folder: string;
  let engine: Engine;
  let model: InferenceModel;
  let dataset: Dataset;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-evaluate-'));
    ({ engine } = await openEngine('wasm'));
    model = createInference(tinyGraph(), tinyState(), engine.ops);
    const { data } = await makeTinyData(folder, { train: 5, unlabelled: 3, val: 1 });
    dataset = await readDataset({ data, split: 'train', badImages: 'error' });
  });
  after(async () => {
    model.dispose();
    await rm(folder, { recursive: true });
  });

  test('measures the labelled images only, and leaves no tensor behind', async () => {
    const before_ = tf.memory().numTensors;
    const progress: number[] = [];
    let time = 0;
    const { metrics, speed, detections } = await evaluateModel({
      model,
      engine,
      dataset,
      imageSize: 64,
      batchSize: 2,
      confThreshold: 0,
      maxDetections: 7,
      keepDetections: [1],
      onProgress: (done, total) => progress.push(done / total),
      clock: () => (time += 10),
    });
    assert.equal(dataset.samples.length, 8);
    assert.equal(metrics.images, 5);
    assert.equal(metrics.instances, 5);
    assert.deepEqual(progress, [2 / 5, 4 / 5, 1]);
    assert.deepEqual(speed, { decodeMs: 6, inferenceMs: 6, nmsMs: 6 });
    assert.deepEqual([...detections.keys()], [1]);
    assert.equal(detections.get(1)?.length, 7);
    assert.equal(tf.memory().numTensors, before_);
  });

  test('gives the same figures in any batches', async () => {
    const options = { model, engine, dataset, imageSize: 64, confThreshold: 0 };
    const one = await evaluateModel({ ...options, batchSize: 1 });
    const many = await evaluateModel({ ...options, batchSize: 8 });
    assert.deepEqual(one.metrics.per_class.length, 2);
    assert.deepEqual(many.metrics, one.metrics);
  });

  test('takes rectangular batches', async () => {
    const { metrics } = await evaluateModel({ model, engine, dataset, imageSize: 64, rect: true });
    assert.equal(metrics.images, 5);
  });

  const rejects = (code: Parameters<typeof isSoftshardError>[1], change: object): Promise<void> =>
    assert.rejects(evaluateModel({ model, engine, dataset, imageSize: 64, ...change }), (error) =>
      isSoftshardError(error, code),
    );

  test('refuses a data set of other classes', () =>
    rejects('E_OPTION_CONFLICT', { dataset: { ...dataset, names: ['red', 'green', 'blue'] } }));
  test('refuses a data set without labels', () =>
    rejects('E_DATA_EMPTY', {
      dataset: { ...dataset, samples: dataset.samples.filter(({ labels }) => labels === undefined) },
    }));
  test('refuses a size that the strides do not divide', () => rejects('E_USAGE', { imageSize: 40 }));
  test('ends when it is aborted', () => rejects('E_ABORTED', { signal: AbortSignal.abort() }));
});
