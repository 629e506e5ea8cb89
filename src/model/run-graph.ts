/** One forward pass over a graph, whatever the values behind it. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { Forward } from './detector.ts';
import type { ModelGraph } from './graph.ts';
import type { Scope } from './module.ts';
import { classifyLogits } from './modules/classify.ts';
import { darknetLogits } from './modules/darknet-head.ts';
import { detectHeads } from './modules/detect.ts';

/**
 * Runs x [B,H,W,3] in 0...1 through the graph and returns raw heads and the NHWC outputs of the layers in
 * `features`. Outputs that no later layer reads are disposed on the way (they live on where a gradient is being
 * recorded). H and W must be multiples of the largest stride. The caller disposes the result.
 */
export function runGraph(
  graph: ModelGraph,
  scope: Scope,
  x: tf.Tensor4D,
  features: readonly number[] = [],
): Forward {
  const wanted = new Set(features);
  for (const layer of wanted) {
    if (graph.layers[layer] === undefined) {
      throw new SoftshardError('E_LOSS', {
        message: 'A hint names a layer that the model does not have.',
        expected: `0 to ${graph.layers.length - 1}`,
        found: String(layer),
      });
    }
  }
  const lastUse = new Map<number, number>();
  for (const layer of graph.layers) for (const source of layer.from) lastUse.set(source, layer.index);
  for (const source of graph.detect.from) lastUse.set(source, graph.detect.index);

  const outputs = new Map<number, tf.Tensor4D>();
  const read = (source: number): tf.Tensor4D => {
    const value = source === -1 ? x : outputs.get(source);
    if (value === undefined) throw new Error(`layer ${source} was disposed too early`);
    return value;
  };
  for (const layer of graph.layers) {
    const inner = scope.child(`model.${layer.index}`);
    outputs.set(
      layer.index,
      tf.tidy(() => layer.module.forward(layer.from.map(read), inner)),
    );
    for (const source of layer.from) {
      if (source !== -1 && lastUse.get(source) === layer.index && !wanted.has(source)) {
        outputs.get(source)?.dispose();
        outputs.delete(source);
      }
    }
  }
  const heads = tf.tidy(() => {
    const [inputs, own] = [graph.detect.from.map(read), scope.child(graph.detect.prefix)];
    switch (graph.detect.type) {
      case 'Detect':
        return detectHeads(inputs, own, graph.head);
      case 'Yolo':
        return inputs.map((input) => darknetLogits(input, graph.head));
      case 'Classify':
        return inputs.map((input) => classifyLogits(input, own, graph.head.nc));
    }
  });
  for (const [index, output] of outputs) if (!wanted.has(index)) output.dispose();
  return { heads, features: new Map([...outputs].filter(([index]) => wanted.has(index))) };
}
