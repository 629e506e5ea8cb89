/** The modules that a model description may name, and how their arguments are read. */
import type { ActivationName } from './activation.ts';
import type { Module } from './module.ts';
import { bottleneckCsp } from './modules/bottleneck-csp.ts';
import { bottleneck } from './modules/bottleneck.ts';
import { c3 } from './modules/c3.ts';
import { conv } from './modules/conv.ts';
import { focus } from './modules/focus.ts';
import { concat, upsample } from './modules/parameter-free.ts';
import { plainBatchNorm, plainConv2d } from './modules/plain.ts';
import { spp, sppf } from './modules/spatial-pyramid.ts';
import { MOBILE_MODULES } from './mobile-modules.ts';
import { badArgument, flag, integer, single, type RowArguments } from './row-arguments.ts';

export interface ModuleBuilder {
  /** The first argument is a channel count that the width multiple scales. */
  readonly widened: boolean;
  /** Takes the repeats itself, and counts as one layer. */
  readonly repeatsInside: boolean;
  build(row: RowArguments): Module;
}

/** Modules by the name a description uses. Extend by passing a larger table to `buildGraph`. */
export type ModuleTable = Readonly<Record<string, ModuleBuilder>>;

const ends = (
  row: RowArguments,
): { inChannels: number; outChannels: number; activation: ActivationName } => ({
  inChannels: single(row),
  outChannels: row.outChannels,
  activation: row.activation,
});

const convOptions = (row: RowArguments): Parameters<typeof conv>[0] => ({
  ...ends(row),
  kernel: integer(row, 0, 1),
  stride: integer(row, 1, 1),
  padding: integer(row, 2, undefined),
  groups: integer(row, 3, 1),
});

const widened = (build: (row: RowArguments) => Module): ModuleBuilder => ({
  widened: true,
  repeatsInside: false,
  build,
});

const crossStage = (build: (row: RowArguments) => Module): ModuleBuilder => ({
  widened: true,
  repeatsInside: true,
  build,
});

const kernelList = (row: RowArguments): number[] => {
  const value = row.rest[0] ?? [5, 9, 13];
  if (!Array.isArray(value) || !value.every((k) => Number.isInteger(k)))
    throw badArgument(row, 'a list of kernels', value);
  return value as number[];
};

export const MODULES: ModuleTable = {
  ...MOBILE_MODULES,
  Conv: widened((row) => conv(convOptions(row))),
  Focus: widened((row) => focus(convOptions(row))),
  Bottleneck: widened((row) => bottleneck({ ...ends(row), shortcut: flag(row, 0, true) })),
  SPP: widened((row) => spp({ ...ends(row), kernels: kernelList(row) })),
  SPPF: widened((row) => sppf({ ...ends(row), kernel: integer(row, 0, 5) })),
  C3: crossStage((row) => c3({ ...ends(row), repeats: row.repeats, shortcut: flag(row, 0, true) })),
  BottleneckCSP: crossStage((row) =>
    bottleneckCsp({ ...ends(row), repeats: row.repeats, shortcut: flag(row, 0, true) }),
  ),
  'nn.Conv2d': widened((row) =>
    plainConv2d({
      inChannels: single(row),
      outChannels: row.outChannels,
      kernel: integer(row, 0, 1),
      stride: integer(row, 1, 1),
      padding: integer(row, 2, 0),
    }),
  ),
  'nn.BatchNorm2d': { widened: false, repeatsInside: false, build: (row) => plainBatchNorm(single(row)) },
  Concat: { widened: false, repeatsInside: false, build: (row) => concat(row.inChannels) },
  'nn.Upsample': {
    widened: false,
    repeatsInside: false,
    build: (row) => {
      if (row.rest[1] !== 2 || row.rest[2] !== 'nearest')
        throw badArgument(row, "[None, 2, 'nearest']", row.rest);
      return upsample(single(row));
    },
  },
};
