/** Every tfjs kernel that can be exported, and what it is as a GraphDef node. */
import { batchNorm, binary, leakyRelu, mean, unary } from './trace-arithmetic.ts';
import { concat, pad, reshape, slice, splitV, tile, transpose } from './trace-layout.ts';
import { convolution, maxPool, resizeNearest } from './trace-windows.ts';
import type { Translate } from './traced-node.ts';

/** By tfjs kernel: the order of its named inputs, and its translation. */
export const TRACE_KERNELS: Readonly<
  Record<string, { readonly inputs?: readonly string[]; readonly translate: Translate }>
> = {
  Add: { inputs: ['a', 'b'], translate: binary('AddV2') },
  Sub: { inputs: ['a', 'b'], translate: binary('Sub') },
  Multiply: { inputs: ['a', 'b'], translate: binary('Mul') },
  RealDiv: { inputs: ['a', 'b'], translate: binary('RealDiv') },
  Identity: { translate: unary('Identity') },
  Sigmoid: { translate: unary('Sigmoid') },
  Square: { translate: unary('Square') },
  Relu: { translate: unary('Relu') },
  Relu6: { translate: unary('Relu6') },
  LeakyRelu: { translate: leakyRelu },
  Conv2D: { inputs: ['x', 'filter'], translate: convolution('Conv2D', false) },
  DepthwiseConv2dNative: {
    inputs: ['x', 'filter'],
    translate: convolution('DepthwiseConv2dNative', true),
  },
  FusedBatchNorm: { inputs: ['x', 'scale', 'offset', 'mean', 'variance'], translate: batchNorm },
  Mean: { translate: mean },
  MaxPool: { translate: maxPool },
  PadV2: { translate: pad },
  Reshape: { translate: reshape },
  Slice: { translate: slice },
  SplitV: { translate: splitV },
  Concat: { translate: concat },
  Tile: { translate: tile },
  Transpose: { translate: transpose },
  ResizeNearestNeighbor: { inputs: ['images'], translate: resizeNearest },
};
