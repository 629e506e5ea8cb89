import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOptions } from '../../src/cli/options.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { buildGraph } from '../../src/model/graph.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';
import { initialWeights } from '../../src/train/initial-weights.ts';
import { trainOptionsSchema, type TrainOptions } from '../../src/train/train-options.ts';
import { writePt } from '../../src/weights/pt-writer.ts';
import { torchvisionState } from '../model/torchvision-weights.ts';

const optionsOf = (weights: string, transfer: string): TrainOptions => {
  const parsed = parseOptions(trainOptionsSchema, [
    '--data',
    'd',
    '--weights',
    weights,
    '--transfer',
    transfer,
  ]);
  assert.ok(!parsed.help);
  return parsed.options;
};

test('a MobileNet’s backbone is taken over, the neck and head begin anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-initial-'));
  try {
    const file = join(folder, 'mobilenet_v2.pt');
    await writePt(file, torchvisionState('mobilenetv2'));
    const graph = buildGraph(readModelYaml('mobilenetv2.yaml'), { names: ['a', 'b'] });
    const told: string[] = [];
    const context = { info: (message: string): number => told.push(message) };
    const state = await initialWeights(optionsOf(file, 'partial'), graph, context);
    assert.equal(state.size, graph.entries.length);
    assert.match(told[0] ?? '', /255 entries taken over, \d+ begun anew/);
    assert.deepEqual(
      state.get('model.3.conv.2.weight')?.data,
      torchvisionState('mobilenetv2').get('features.3.conv.2.weight')?.data,
    );
    const other = buildGraph(readModelYaml('yolov5n.yaml'));
    await assert.rejects(
      initialWeights(optionsOf(file, 'partial'), other, context),
      (error) => isSoftshardError(error, 'E_WEIGHTS_TRANSFER') && error.message.includes('Nothing'),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
