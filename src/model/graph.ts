/** A model description turned into a graph of modules: no values, no engine. */
import { roundHalfEven } from '../data/round-half-even.ts';
import { SoftshardError } from '../errors.ts';
import { activationOf } from './activation.ts';
import type { HeadSpec } from './detector.ts';
import type { ModelYaml } from './model-yaml.ts';
import { MODULES, type ModuleTable } from './module-table.ts';
import type { Entry, Module } from './module.ts';
import { classifyEntries } from './modules/classify.ts';
import { darknetEntries } from './modules/darknet-head.ts';
import { detectEntries } from './modules/detect.ts';
import { sequential } from './modules/sequential.ts';

/** The heads: YOLOv5's, darknet's (whose convolutions are rows before it), and a classifier's. */
const HEAD_TYPES = ['Detect', 'Yolo', 'Classify'] as const;
export type HeadType = (typeof HEAD_TYPES)[number];

export interface Layer {
  readonly index: number;
  /** Absolute indices of the layers read; -1 is the image. */
  readonly from: readonly number[];
  readonly type: string;
  readonly module: Module;
  /** Image pixels per output pixel, one axis. */
  readonly stride: number;
}

export interface ModelGraph {
  /** The description after overrides: enough to build the same graph again. */
  readonly yaml: ModelYaml;
  readonly inChannels: number;
  /** All layers but the head. */
  readonly layers: readonly Layer[];
  readonly detect: {
    readonly index: number;
    readonly from: readonly number[];
    readonly prefix: string;
    readonly type: HeadType;
  };
  readonly head: HeadSpec;
  /** Every entry of the state dict under its full key (`model.0.conv.weight`), in PyTorch's order. */
  readonly entries: readonly Entry[];
  /** Pairs of full prefixes that inference may fold. */
  readonly foldable: readonly (readonly [conv: string, norm: string])[];
}

export interface GraphOptions {
  /** Class names; their number overrides the description's `nc`. */
  readonly names?: readonly string[];
  readonly modules?: ModuleTable;
  /** Names the description in errors. */
  readonly where?: string;
}

/**
 * Builds the graph. Anchors and strides are put in ascending order of stride as the head reads its levels.
 * Throws E_MODEL_YAML on an unknown module, a missing or repeated head, or a reference to a later layer.
 */
export function buildGraph(yaml: ModelYaml, options: GraphOptions = {}): ModelGraph {
  const { modules = MODULES, where = 'model description' } = options;
  const nc = options.names?.length ?? yaml.nc;
  const na = (yaml.anchors[0]?.length ?? 0) / 2;
  const no = nc + 5;
  const activation = yaml.activation === undefined ? 'silu' : activationOf(yaml.activation, where);
  const layers: Layer[] = [];
  let detect: ModelGraph['detect'] | undefined;
  const rows = [...yaml.backbone, ...yaml.head];

  rows.forEach(([from, number, type, args], index) => {
    const place = `${where}, layer ${index} (${type})`;
    const fail = (message: string, expected: string, found: string): SoftshardError =>
      new SoftshardError('E_MODEL_YAML', { message, expected, found, where: place });
    const sources = [from].flat().map((f) => (f < 0 ? index + f : f));
    for (const source of sources) {
      if (source >= index || source < -1) {
        throw fail(
          'A layer reads one that does not come before it.',
          `an index below ${index}`,
          String(source),
        );
      }
    }
    if (detect !== undefined)
      throw fail('The head must be the last layer.', `nothing after ${detect.type}`, type);
    const headType = HEAD_TYPES.find((name) => name === type);
    if (headType !== undefined) {
      if (headType === 'Classify' && sources.length !== 1)
        throw fail('A classifier reads one layer.', 'one input', String(sources.length));
      detect = { index, from: sources, prefix: `model.${index}`, type: headType };
      return;
    }
    const builder = Object.hasOwn(modules, type) ? modules[type] : undefined;
    if (builder === undefined) {
      throw fail(
        'The model description names a module that is not known.',
        Object.keys(modules).join(', '),
        type,
      );
    }
    const inChannels = sources.map((s) => (s === -1 ? yaml.ch : (layers[s]?.module.outChannels ?? 0)));
    const repeats = number > 1 ? Math.max(roundHalfEven(number * yaml.depth_multiple), 1) : number;
    // darknet's description states the outputs of a head, which follow from the classes.
    const [first, ...others] = args[0] === 'outputs' ? [na * no, ...args.slice(1)] : args;
    let outChannels = inChannels[0] ?? 0;
    if (builder.widened) {
      if (typeof first !== 'number')
        throw fail('A module needs its output channels.', 'a number', String(first));
      const multiple = yaml.channel_multiple;
      outChannels =
        first === na * no ? first : Math.ceil((first * yaml.width_multiple) / multiple) * multiple;
    }
    const build = (channels: readonly number[]): Module =>
      builder.build({
        inChannels: channels,
        outChannels,
        repeats,
        rest: builder.widened ? others : args,
        activation,
        where: place,
      });
    const module =
      repeats > 1 && !builder.repeatsInside
        ? sequential(repeated(build, inChannels, repeats))
        : build(inChannels);
    const strides = sources.map((s) => (s === -1 ? 1 : (layers[s]?.stride ?? 1)));
    if (new Set(strides).size > 1) {
      throw fail('A layer joins inputs of different size.', 'inputs of equal stride', strides.join(', '));
    }
    layers.push({ index, from: sources, type, module, stride: (strides[0] ?? 1) * module.reduction });
  });

  if (detect === undefined) {
    throw new SoftshardError('E_MODEL_YAML', {
      message: 'The model description has no head.',
      expected: 'a last row [[...], 1, Detect, [nc, anchors]], or [-1, 1, Classify, [nc]]',
      found: rows.at(-1)?.[2] ?? 'nothing',
      where,
    });
  }
  const inputs = detect.from.map((s) => layers[s]);
  const strides = inputs.map((layer) => layer?.stride ?? 1);
  const channels = inputs.map((layer) => layer?.module.outChannels ?? 0);
  const names = options.names ?? Array.from({ length: nc }, (_, i) => String(i));
  const { type } = detect;
  const head: HeadSpec =
    type === 'Classify'
      ? { task: 'classify', nc, na: 1, no: nc, strides, anchors: [], names }
      : { nc, na, no, strides, anchors: anchorsByLevel(yaml.anchors, strides, na, where), names };
  const { prefix } = detect;
  return {
    yaml: { ...yaml, nc },
    inChannels: yaml.ch,
    layers,
    detect,
    head,
    entries: [
      ...layers.flatMap((layer) =>
        layer.module.entries.map((entry) => ({ ...entry, name: `model.${layer.index}.${entry.name}` })),
      ),
      ...headEntries(type, head, channels).map((entry) => ({ ...entry, name: `${prefix}.${entry.name}` })),
    ],
    foldable: layers.flatMap((layer) =>
      layer.module.foldable.map(
        ([conv, norm]) => [`model.${layer.index}.${conv}`, `model.${layer.index}.${norm}`] as const,
      ),
    ),
  };
}

const headEntries = (type: HeadType, head: HeadSpec, channels: readonly number[]): readonly Entry[] => {
  switch (type) {
    case 'Detect':
      return detectEntries(head, channels);
    case 'Yolo':
      return darknetEntries(head);
    case 'Classify':
      return classifyEntries(head.nc, channels[0] ?? 0);
  }
};

/** `count` modules, each for what the one before gives. */
function repeated(
  build: (channels: readonly number[]) => Module,
  inChannels: readonly number[],
  count: number,
): Module[] {
  const modules = [build(inChannels)];
  while (modules.length < count) modules.push(build([modules.at(-1)?.outChannels ?? 0]));
  return modules;
}

/** Pairs of anchors a level; reversed when their areas fall while the strides grow. */
function anchorsByLevel(
  anchors: readonly (readonly number[])[],
  strides: readonly number[],
  na: number,
  where: string,
): [number, number][][] {
  if (anchors.length !== strides.length || anchors.some((level) => level.length !== 2 * na)) {
    throw new SoftshardError('E_MODEL_YAML', {
      message: 'The anchors do not fit the detection head.',
      expected: `${strides.length} lists of 2 x ${na} numbers`,
      found: `lists of ${anchors.map((a) => a.length).join(', ')}`,
      where,
    });
  }
  const levels = anchors.map((level) =>
    Array.from({ length: na }, (_, a): [number, number] => [level[2 * a] ?? 0, level[2 * a + 1] ?? 0]),
  );
  const area = (level: [number, number][] | undefined): number =>
    (level ?? []).reduce((sum, [w, h]) => sum + w * h, 0);
  const grows = area(levels.at(-1)) - area(levels[0]);
  const strideGrows = (strides.at(-1) ?? 0) - (strides[0] ?? 0);
  return Math.sign(grows) * Math.sign(strideGrows) < 0 ? levels.reverse() : levels;
}

/** Number of trainable values. */
export const parameterCount = (graph: ModelGraph): number =>
  graph.entries
    .filter((entry) => entry.role === 'weight' || entry.role === 'bias' || entry.role === 'gamma')
    .reduce((sum, entry) => sum + entry.shape.reduce((a, b) => a * b, 1), 0);
