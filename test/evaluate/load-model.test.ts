import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { loadInference, loadModel } from '../../src/evaluate/load-model.ts';
import { checkpointMetadata } from '../../src/weights/checkpoint-metadata.ts';
import { writePt } from '../../src/weights/pt-writer.ts';
import { writeSafetensors } from '../../src/weights/safetensors.ts';
import { reference, skipWithoutReference } from '../reference.ts';
import { TINY_DESCRIPTION, tinyState, writeTinyModel } from './tiny-model.ts';

describe('loadModel', () => {
  let folder: string;
  let engine: Engine;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-load-model-'));
    ({ engine } = await openEngine('cpu'));
  });
  after(() => rm(folder, { recursive: true }));

  test('takes graph and names from a checkpoint', async () => {
    const file = join(folder, 'tiny.safetensors');
    await writeTinyModel(file);
    const loaded = await loadInference({ weights: file, engine });
    assert.deepEqual(loaded.names, ['red', 'green']);
    assert.equal(loaded.namesKnown, true);
    assert.equal(loaded.format, 'softshard-checkpoint');
    assert.ok(loaded.bytes > 0);
    const x = tf.zeros<tf.Rank.R4>([1, 64, 64, 3]);
    const { heads } = loaded.model.forward(x);
    assert.deepEqual(
      heads.map((head) => head.shape),
      [
        [1, 8, 8, 2, 7],
        [1, 4, 4, 2, 7],
      ],
    );
    tf.dispose([x, ...heads]);
    loaded.model.dispose();
  });

  test('asks for --cfg where a state dict has no description, and takes it', async () => {
    const file = join(folder, 'plain.pt');
    await writePt(file, tinyState());
    await assert.rejects(loadModel({ weights: file }), (error) =>
      isSoftshardError(error, 'E_WEIGHTS_FORMAT'),
    );
    const cfg = join(folder, 'tiny.yaml');
    await writeTinyModel(join(folder, 'again.safetensors'), cfg);
    const { graph, names, namesKnown } = await loadModel({ weights: file, cfg });
    assert.deepEqual([names, namesKnown, graph.yaml.nc], [['0', '1'], false, 2]);
    const renamed = await loadModel({ weights: file, cfg, defaultNames: ['a', 'b'] });
    assert.deepEqual([renamed.names, renamed.namesKnown], [['a', 'b'], true]);
  });

  test('lists the keys of an incomplete file', async () => {
    const file = join(folder, 'half.safetensors');
    const state = new Map([...tinyState()].filter(([key]) => key !== 'model.1.conv.weight'));
    await writeSafetensors(file, state, checkpointMetadata({ yaml: TINY_DESCRIPTION }));
    await assert.rejects(
      loadModel({ weights: file }),
      (error) =>
        isSoftshardError(error, 'E_WEIGHTS_TRANSFER') && error.message.includes('model.1.conv.weight'),
    );
  });

  test('reads the official checkpoint whole', { skip: skipWithoutReference }, async () => {
    const { names, format, state } = await loadModel({ weights: reference('weights', 'yolov5n.pt') });
    assert.equal(names.length, 80);
    assert.equal(names[0], 'person');
    assert.equal(format, 'pt-model');
    assert.ok(state.has('model.24.anchors'));
  });
});
