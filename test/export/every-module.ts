/** Model descriptions that between them use every module, grouped and depthwise convolutions, and every activation. */
import { buildGraph, type ModelGraph } from '../../src/model/graph.ts';
import { checkModelYaml } from '../../src/model/model-yaml.ts';
import type { EntryRole } from '../../src/model/module.ts';
import type { TensorData } from '../../src/model/tensor-data.ts';
import { uniformValues, initialState } from '../../src/model/initial-state.ts';

const anchors = [
  [12, 12, 16, 20],
  [24, 24, 32, 40],
];
const base = { nc: 3, depth_multiple: 1, width_multiple: 1, anchors };

const withFocus = {
  ...base,
  backbone: [
    [-1, 1, 'Focus', [8, 3]], // 0, stride 2
    [-1, 1, 'Conv', [8, 3, 2]], // 1, stride 4
    [-1, 2, 'BottleneckCSP', [8]],
    [-1, 1, 'Conv', [16, 3, 2]], // 3, stride 8
    [-1, 1, 'SPP', [16, [3, 5, 7]]],
    [-1, 1, 'Conv', [16, 3, 2, null, 16]], // 5, stride 16, depthwise
    [-1, 1, 'Conv', [16, 3, 1, null, 4]], // 6, grouped
  ],
  head: [
    [-1, 1, 'nn.Upsample', [null, 2, 'nearest']], // 7
    [[-1, 4], 1, 'Concat', [1]],
    [-1, 1, 'nn.Conv2d', [16, 1, 1]], // 9
    [-1, 1, 'nn.BatchNorm2d', []],
    [[10, 6], 1, 'Detect', ['nc', 'anchors']],
  ],
};

const withPyramid = {
  ...base,
  backbone: [
    [-1, 1, 'Conv', [8, 6, 2, 2]], // 0, stride 2
    [-1, 1, 'Conv', [8, 3, 2]], // 1, stride 4
    [-1, 2, 'C3', [8]],
    [-1, 2, 'Bottleneck', [16]], // 3
    [-1, 1, 'nn.Conv2d', [16, 3, 2, 1]], // 4, stride 8
    [-1, 1, 'SPPF', [16, 5]], // 5
    [-1, 1, 'Conv', [16, 3, 2]], // 6, stride 16
    [-1, 1, 'C3', [16, false]],
  ],
  head: [[[5, 7], 1, 'Detect', ['nc', 'anchors']]],
};

const withMobileBlocks = {
  ...base,
  backbone: [
    [-1, 1, 'Conv2dNormActivation', [8, 3, 2, 'hardswish', 'imagenet']], // 0, stride 2
    [-1, 1, 'InvertedResidual', [8, 1, 1]],
    [-1, 2, 'InvertedResidual', [12, 6, 1]],
    [-1, 1, 'nn.MaxPool2d', [2, 2]], // 3, stride 4
    [-1, 1, 'InvertedResidualV3', [16, 24, 5, 8, 'hardswish', 2]], // 4, stride 8
    [-1, 1, 'InvertedResidualV3', [16, 16, 3, 0, 'relu', 1]], // 5
    [-1, 1, 'ChannelGroup', [2, 1]],
    [-1, 1, 'Conv', [16, 3, 2]], // 7, stride 16
    [-1, 1, 'nn.Identity', []],
  ],
  head: [[[5, 8], 1, 'Detect', ['nc', 'anchors']]],
};

const DESCRIPTIONS: readonly (readonly [name: string, yaml: unknown])[] = [
  ['Focus, BottleneckCSP, SPP, groups', withFocus],
  ['C3, Bottleneck, SPPF', withPyramid],
  ['blocks of MobileNets and darknet', withMobileBlocks],
  ...['nn.ReLU()', 'nn.ReLU6()', 'nn.LeakyReLU(0.1)', 'nn.Hardswish()', 'nn.Identity()'].map(
    (activation) => [activation, { ...withPyramid, activation }] as const,
  ),
];

export const EVERY_MODULE: readonly (readonly [name: string, graph: ModelGraph])[] = DESCRIPTIONS.map(
  ([name, yaml]) => [name, buildGraph(checkModelYaml(yaml, name))] as const,
);

/** Random values, the statistics and scales of batch norms included: none is at the value that hides a mistake. */
export function randomState(graph: ModelGraph): Map<string, TensorData> {
  const state = initialState(graph, 3);
  graph.entries.forEach(({ name, shape, role }, index) => {
    const centre = new Map<EntryRole, number>([
      ['gamma', 1],
      ['bias', 0],
      ['runningMean', 0],
      ['runningVariance', 1],
    ]).get(role);
    if (centre === undefined) return;
    const size = shape.reduce((a, b) => a * b, 1);
    const data = uniformValues(3, 'statistics', index, size, 0.5).map((v) => v + centre);
    state.set(name, { dtype: 'float32', shape, data });
  });
  return state;
}
