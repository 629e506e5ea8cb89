/** The modules of MobileNets and of darknet, whose rows state their own channels: no multiple scales them. */
import { ACTIVATIONS, type ActivationName } from './activation.ts';
import type { Module } from './module.ts';
import type { ModuleBuilder, ModuleTable } from './module-table.ts';
import { channelGroup, identity, maxPool } from './modules/parameter-free.ts';
import { convNormActivation } from './modules/conv-norm-activation.ts';
import { invertedResidual, invertedResidualV3 } from './modules/inverted-residual.ts';
import { badArgument, integer, single, type RowArguments } from './row-arguments.ts';

const unscaled = (build: (row: RowArguments) => Module): ModuleBuilder => ({
  widened: false,
  repeatsInside: false,
  build,
});

/** A whole number of at least 1, by position. */
function count(row: RowArguments, position: number, what: string): number {
  const value = integer(row, position, undefined);
  if (value === undefined || value < 1) throw badArgument(row, what, row.rest[position]);
  return value;
}

function activationAt(row: RowArguments, position: number): ActivationName {
  const found = ACTIVATIONS.find((name) => name === row.rest[position]);
  if (found === undefined) throw badArgument(row, ACTIVATIONS.join(', '), row.rest[position]);
  return found;
}

function normalises(row: RowArguments, position: number): boolean {
  const value = row.rest[position];
  if (value === undefined) return false;
  if (value !== 'imagenet') throw badArgument(row, 'imagenet, or nothing', value);
  if (single(row) !== 3) throw badArgument(row, 'three channels to standardise', single(row));
  return true;
}

export const MOBILE_MODULES: ModuleTable = {
  /** [channels, kernel, stride, activation, imagenet?] */
  Conv2dNormActivation: unscaled((row) =>
    convNormActivation({
      inChannels: single(row),
      outChannels: count(row, 0, 'output channels'),
      kernel: count(row, 1, 'a kernel'),
      stride: count(row, 2, 'a stride'),
      activation: activationAt(row, 3),
      normalise: normalises(row, 4),
    }),
  ),
  /** [channels, expansion, stride] */
  InvertedResidual: unscaled((row) =>
    invertedResidual({
      inChannels: single(row),
      outChannels: count(row, 0, 'output channels'),
      expansion: count(row, 1, 'an expansion'),
      stride: count(row, 2, 'a stride'),
    }),
  ),
  /** [channels, expanded channels, kernel, channels of the squeeze or 0, activation, stride] */
  InvertedResidualV3: unscaled((row) =>
    invertedResidualV3({
      inChannels: single(row),
      outChannels: count(row, 0, 'output channels'),
      expanded: count(row, 1, 'expanded channels'),
      kernel: count(row, 2, 'a kernel'),
      squeeze: integer(row, 3, 0),
      activation: activationAt(row, 4),
      stride: count(row, 5, 'a stride'),
    }),
  ),
  /** [kernel, stride], without padding */
  'nn.MaxPool2d': unscaled((row) =>
    maxPool(single(row), count(row, 0, 'a kernel'), count(row, 1, 'a stride')),
  ),
  'nn.Identity': unscaled((row) => identity(single(row))),
  /** [groups, index]: one of so many equal groups of channels */
  ChannelGroup: unscaled((row) => {
    const [channels, groups, index] = [single(row), count(row, 0, 'a number of groups'), integer(row, 1, 0)];
    if (channels % groups !== 0) throw badArgument(row, `a divisor of ${channels} channels`, groups);
    if (index >= groups) throw badArgument(row, `a group below ${groups}`, index);
    return channelGroup(channels / groups, index);
  }),
};
