import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { buildGraph, parameterCount } from '../../src/model/graph.ts';
import { createInference } from '../../src/model/inference.ts';
import { initialState } from '../../src/model/initial-state.ts';
import { checkModelYaml, readModelYaml } from '../../src/model/model-yaml.ts';
import { graphTensors } from '../../src/weights/graph-tensors.ts';
import { loadWeights } from '../../src/weights/load.ts';
import { writePt } from '../../src/weights/pt-writer.ts';
import { transferWeights } from '../../src/weights/transfer.ts';
import { availableEngines } from '../engines.ts';
import { probeImage, torchvisionParity, torchvisionState } from './torchvision-weights.ts';

const NAMES = ['mobilenetv2', 'mobilenetv3-small'] as const;

/** Trainable values of each row of torchvision's `features`. */
const PARAMETERS = {
  mobilenetv2: [
    928, 896, 5136, 8832, 10000, 14848, 14848, 21056, 54272, 54272, 54272, 66624, 118272, 118272, 155264,
    320000, 320000, 473920,
  ],
  'mobilenetv3-small': [
    464, 744, 3864, 5416, 13736, 57264, 57264, 21968, 29800, 91848, 294096, 294096, 56448,
  ],
};

const [name = 'wasm'] = availableEngines().reverse();
const { ops } = (await openEngine(name)).engine;

for (const model of NAMES) {
  describe(model, () => {
    const graph = buildGraph(readModelYaml(`${model}.yaml`), { where: model });
    const rows = PARAMETERS[model].length;

    test('each row has the parameters of the paper’s table', () => {
      const counts = graph.layers
        .slice(0, rows)
        .map(({ module }) =>
          module.entries
            .filter(({ role }) => ['weight', 'bias', 'gamma'].includes(role))
            .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
        );
      assert.deepEqual(counts, PARAMETERS[model]);
      assert.ok(parameterCount(graph) > counts.reduce((a, b) => a + b, 0));
    });

    test('the entries of its rows are torchvision’s, in its order', () => {
      const expected = torchvisionParity(model)
        .keys.filter(([key]) => Number(/^features\.(\d+)\./.exec(key)?.[1] ?? rows) < rows)
        .map(([key, shape]) => [key.replace('features.', 'model.'), shape]);
      const actual = graph.entries
        .filter((entry) => Number(entry.name.split('.')[1]) < rows)
        .map((entry) => [entry.name, entry.shape]);
      assert.deepEqual(actual, expected);
    });

    test('a .pt with torchvision’s keys computes what torchvision computes', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'softshard-mobilenet-'));
      try {
        const file = join(folder, 'weights.pt');
        await writePt(file, torchvisionState(model));
        const shapes = new Map(graph.entries.map((entry) => [entry.name, entry.shape] as const));
        const { state } = transferWeights(
          graphTensors(await loadWeights(file), graph, file),
          shapes,
          'partial',
        );
        assert.equal(
          state.size,
          graph.entries.filter((entry) => Number(entry.name.split('.')[1]) < rows).length,
        );
        const { features } = torchvisionParity(model);
        const layers = Object.keys(features).map(Number);
        const wanted = layers.filter((layer) => layer < rows);
        for (const fold of [true, false]) {
          const before = tf.memory().numTensors;
          const inference = createInference(graph, new Map([...initialState(graph, 0), ...state]), ops, {
            fold,
          });
          const x = tf.tensor4d(probeImage(), [1, 64, 64, 3]);
          const forward = inference.forward(x, wanted);
          for (const layer of wanted) {
            const expected = features[layer];
            const found = forward.features.get(layer);
            assert.ok(expected !== undefined && found !== undefined);
            assert.deepEqual(found.shape.slice(1), expected.shape);
            const values = found.dataSync<'float32'>();
            const rms = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
            assert.ok(Math.abs(rms / expected.rms - 1) < 1e-4, `layer ${layer}: rms ${rms}`);
            const ends = [...values.slice(0, 4), ...values.slice(-4)];
            [...expected.first, ...expected.last].forEach((value, i) => {
              const off = Math.abs((ends[i] ?? NaN) - value);
              assert.ok(off < 1e-3 * expected.rms, `layer ${layer}, fold ${fold}: ${ends[i]} for ${value}`);
            });
          }
          tf.dispose([x, ...forward.heads, ...forward.features.values()]);
          inference.dispose();
          assert.equal(tf.memory().numTensors, before);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
}

test('other weights keep their keys', () => {
  const state = new Map([
    ['model.0.conv.weight', { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) }],
  ]);
  assert.equal(graphTensors({ state, format: 'pt-state' }, { entries: [], foldable: [] }, 'x'), state);
});

test('a row that repeats builds each block for the one before; the width leaves its channels', () => {
  const graph = buildGraph(
    checkModelYaml(
      {
        ...{ nc: 2, width_multiple: 0.25, depth_multiple: 1, anchors: [[10, 13, 16, 30]] },
        backbone: [
          [-1, 1, 'Conv2dNormActivation', [16, 3, 2, 'relu6']],
          [-1, 2, 'InvertedResidual', [24, 6, 1]],
        ],
        head: [[[1], 1, 'Detect', ['nc', 'anchors']]],
      },
      'rows',
    ),
  );
  assert.equal(graph.layers[1]?.module.outChannels, 24);
  const shape = graph.entries.find((entry) => entry.name === 'model.1.1.conv.0.0.weight')?.shape;
  assert.deepEqual(shape, [144, 24, 1, 1]);
});

test('arguments that a block cannot use are named with what it expects', () => {
  for (const [row, expected] of [
    [['InvertedResidual', [16, 0, 1]], 'an expansion'],
    [['InvertedResidual', [16]], 'an expansion'],
    [['InvertedResidualV3', [16, 16, 3, 8, 'swish', 1]], 'hardswish'],
    [['Conv2dNormActivation', [16, 3, 2, 'relu6', 'cifar']], 'imagenet'],
    [['ChannelGroup', [2, 0]], 'a divisor of 3 channels'],
    [['ChannelGroup', [3, 3]], 'a group below 3'],
  ] as const) {
    const yaml = checkModelYaml(
      {
        ...{ anchors: [[1, 2]], backbone: [[-1, 1, ...row]] },
        head: [[[0], 1, 'Detect', ['nc', 'anchors']]],
      },
      'bad.yaml',
    );
    assert.throws(
      () => buildGraph(yaml, { where: 'bad.yaml' }),
      (error) =>
        isSoftshardError(error, 'E_MODEL_YAML') &&
        error.message.includes(expected) &&
        error.message.includes('layer 0'),
      expected,
    );
  }
});
