import type { ActivationName } from '../activation.ts';
import { filterEntry, normEntries, type Module } from '../module.ts';

export interface ConvOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel?: number;
  readonly stride?: number;
  /** Zero padding on every side; half the (dilated) kernel by default. */
  readonly padding?: number | undefined;
  readonly groups?: number;
  readonly dilation?: number;
  readonly activation?: ActivationName;
}

/** Bias-free convolution, batch norm, activation: YOLOv5's `Conv`. */
export function conv(options: ConvOptions): Module {
  const { inChannels, outChannels, kernel = 1, stride = 1, groups = 1, dilation = 1 } = options;
  const activation = options.activation ?? 'silu';
  const extent = dilation * (kernel - 1) + 1;
  const padding = options.padding ?? Math.floor(extent / 2);
  return {
    outChannels,
    reduction: stride,
    entries: [
      filterEntry('conv.weight', [outChannels, inChannels / groups, kernel, kernel]),
      ...normEntries('bn', outChannels),
    ],
    foldable: [['conv', 'bn']],
    forward: ([x], scope) => {
      if (x === undefined) throw new Error('conv takes one input');
      return scope.convNorm(x, 'conv', 'bn', { stride, padding, groups, dilation }, activation);
    },
  };
}
