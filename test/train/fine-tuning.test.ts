/** Beginning with the weights of a detector of other classes. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOptions } from '../../src/cli/options.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { buildGraph, type ModelGraph } from '../../src/model/graph.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';
import { initialWeights } from '../../src/train/initial-weights.ts';
import { studentYaml } from '../../src/train/student-yaml.ts';
import { trainOptionsSchema, type TrainOptions } from '../../src/train/train-options.ts';
import { loadWeights } from '../../src/weights/load.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';

describe('fine-tuning', () => {
  let folder: string;
  let weights: string;
  const options = (...more: string[]): TrainOptions => {
    const parsed = parseOptions(trainOptionsSchema, ['--data', 'd', '--weights', weights, ...more]);
    assert.ok(!parsed.help);
    return parsed.options;
  };
  const told: string[] = [];
  const context = { info: (message: string): number => told.push(message) };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-fine-tuning-'));
    weights = await makeTinyTeacher(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const graphOf = async (names: readonly string[], ...more: string[]): Promise<ModelGraph> => {
    const { yaml, where } = await studentYaml(options(...more));
    return buildGraph(yaml, { names, where });
  };

  test('another number of classes begins the outputs anew, and nothing else', async () => {
    const graph = await graphOf(['a', 'b', 'c']);
    assert.equal(graph.head.nc, 3);
    assert.deepEqual(graph.head.anchors[0]?.[0], [12, 12]);
    const state = await initialWeights(options(), graph, context);
    const loaded = await loadWeights(weights);
    for (const { name, role } of graph.entries) {
      if (role === 'batches' || role === 'anchors') continue;
      const isOutput = name.startsWith('model.6.m.');
      const same = JSON.stringify(state.get(name)) === JSON.stringify(loaded.state.get(name));
      assert.equal(same, !isOutput, name);
    }
    assert.match(told.at(-1) ?? '', /4 begun anew/);
  });

  test('the same classes take everything over', async () => {
    await initialWeights(options(), await graphOf(['red', 'green']), context);
    assert.ok(!(told.at(-1) ?? '').includes('anew'), told.at(-1));
  });

  test('a description that does not fit is refused, unless a partial transfer is asked for', async () => {
    const other = buildGraph(readModelYaml('yolov5n.yaml'), { names: ['a', 'b', 'c'] });
    await assert.rejects(initialWeights(options(), other, context), (error) =>
      isSoftshardError(error, 'E_WEIGHTS_TRANSFER'),
    );
  });

  test('a named description comes before that of the weights, yolov5p where there is neither', async () => {
    assert.equal((await studentYaml(options('--cfg', 'yolov5n.yaml'))).where, 'yolov5n.yaml');
    assert.equal((await studentYaml(options())).where, weights);
    assert.equal((await studentYaml({ weights: '' })).where, 'yolov5p.yaml');
  });
});
