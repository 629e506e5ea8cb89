import { test } from 'node:test';
import assert from 'node:assert/strict';
import { buildGraph, parameterCount } from '../../src/model/graph.ts';
import { checkModelYaml, readModelYaml } from '../../src/model/model-yaml.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { referenceJson, skipWithoutReference } from '../reference.ts';

const graphOf = (name: string): ReturnType<typeof buildGraph> =>
  buildGraph(readModelYaml(name), { where: name });

const PARAMETERS = {
  yolov5n: 1_872_157,
  yolov5s: 7_235_389,
  yolov5m: 21_190_557,
  yolov5l: 46_563_709,
  yolov5x: 86_749_405,
  yolov5n6: 3_246_940,
  yolov5s6: 12_626_620,
  yolov5m6: 35_731_932,
  yolov5l6: 76_770_172,
  yolov5x6: 140_794_780,
};

for (const [name, count] of Object.entries(PARAMETERS)) {
  test(`${name} has ${count} parameters`, () => {
    assert.equal(parameterCount(graphOf(`${name}.yaml`)), count);
  });
}

test('state-dict keys, shapes and order equal the original', { skip: skipWithoutReference }, () => {
  const reference = referenceJson('spec', 'vectors', 'state_dict_keys.json') as Record<
    string,
    [string, number[]][] | Record<string, number[]>
  >;
  for (const size of ['n', 's', 'm', 'l', 'x']) {
    const raw = reference[`yolov5${size}`] ?? reference[size];
    assert.ok(raw !== undefined, `no keys for ${size} in ${Object.keys(reference).join(', ')}`);
    const expected = Array.isArray(raw) ? raw : Object.entries(raw);
    const actual = graphOf(`yolov5${size}.yaml`).entries.map(({ name, shape }) => [name, shape]);
    assert.deepEqual(actual, expected);
  }
});

test('strides, anchors and read layers are those of the head', () => {
  const { head, detect } = graphOf('yolov5n.yaml');
  assert.deepEqual(head.strides, [8, 16, 32]);
  assert.deepEqual(head.anchors[2]?.[1], [156, 198]);
  assert.deepEqual(detect.from, [17, 20, 23]);
});

test('class names override the number of classes', () => {
  const graph = buildGraph(readModelYaml('yolov5n.yaml'), { names: ['a', 'b', 'c'] });
  assert.equal(graph.head.no, 8);
  assert.equal(graph.yaml.nc, 3);
});

test('an unknown module is an error that names it and its layer', () => {
  const yaml = checkModelYaml(
    { anchors: [[1, 2]], backbone: [[-1, 1, 'Evil', [3]]], head: [[[-1], 1, 'Detect', ['nc', 'anchors']]] },
    'bad.yaml',
  );
  assert.throws(
    () => buildGraph(yaml, { where: 'bad.yaml' }),
    (error) =>
      isSoftshardError(error, 'E_MODEL_YAML') &&
      error.message.includes('Evil') &&
      error.message.includes('layer 0'),
  );
});

test('modules of older releases build: Focus, SPP, BottleneckCSP, plain layers', () => {
  const yaml = checkModelYaml(
    {
      nc: 2,
      anchors: [[10, 13, 16, 30]],
      activation: 'nn.LeakyReLU(0.1)',
      backbone: [
        [-1, 1, 'Focus', [16, 3]],
        [-1, 1, 'Conv', [32, 3, 2]],
        [-1, 3, 'BottleneckCSP', [32]],
        [-1, 1, 'SPP', [32, [5, 9]]],
        [-1, 2, 'Bottleneck', [32]],
        [-1, 1, 'nn.Conv2d', [24, 1, 1]],
        [-1, 1, 'nn.BatchNorm2d', []],
      ],
      head: [[[6], 1, 'Detect', ['nc', 'anchors']]],
    },
    'old.yaml',
  );
  const graph = buildGraph(yaml);
  const names = graph.entries.map((entry) => entry.name);
  for (const name of [
    'model.0.conv.conv.weight',
    'model.2.cv2.weight',
    'model.2.bn.weight',
    'model.4.1.cv2.bn.bias',
    'model.5.bias',
    'model.6.running_var',
  ]) {
    assert.ok(names.includes(name), name);
  }
  assert.deepEqual(graph.head.strides, [4]);
});
