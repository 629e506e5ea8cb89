/** PyTorch's own layers, as model descriptions name them: `nn.Conv2d` and `nn.BatchNorm2d`. */
import { filterEntry, normEntries, type Module } from '../module.ts';

export interface PlainConvOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
}

/** A convolution with bias and nothing after it. */
export function plainConv2d(options: PlainConvOptions): Module {
  const { inChannels, outChannels, kernel, stride = 1, padding = 0 } = options;
  const filter = filterEntry('weight', [outChannels, inChannels, kernel, kernel]);
  return {
    outChannels,
    reduction: stride,
    entries: [filter, { name: 'bias', shape: [outChannels], role: 'bias', initial: filter.initial }],
    foldable: [],
    forward: ([x], scope) => {
      if (x === undefined) throw new Error('nn.Conv2d takes one input');
      return scope.convBias(x, '', { stride, padding });
    },
  };
}

/** A batch norm by itself. */
export const plainBatchNorm = (channels: number): Module => ({
  outChannels: channels,
  reduction: 1,
  entries: normEntries('', channels).map((entry) => ({ ...entry, name: entry.name.slice(1) })),
  foldable: [],
  forward: ([x], scope) => {
    if (x === undefined) throw new Error('nn.BatchNorm2d takes one input');
    return scope.batchNorm('', x, 'identity');
  },
});
