/** The layers of a model that hints name. */
import { SoftshardError } from '../errors.ts';
import type { ModelGraph } from '../model/graph.ts';
import type { FeatureLayer } from './answer-shapes.ts';

/** Throws E_LOSS for a hint that is no layer of the model. */
export const featureLayers = (graph: ModelGraph, hints: readonly (number | string)[]): FeatureLayer[] =>
  hints.map((hint) => {
    const layer = typeof hint === 'number' ? graph.layers[hint] : undefined;
    if (layer !== undefined) {
      return { layer: layer.index, channels: layer.module.outChannels, stride: layer.stride };
    }
    throw new SoftshardError('E_LOSS', {
      message: 'A hint names a layer that the teacher does not have.',
      where: '--hints',
      expected: `0 to ${graph.layers.length - 1}`,
      found: String(hint),
      ...(typeof hint === 'string'
        ? { remedy: 'Give numbers of layers; names of tensors are for ONNX files and graph models.' }
        : {}),
    });
  });
