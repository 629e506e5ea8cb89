/** A detection model as one graph: images in, decoded boxes out. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { portableOps } from '../engine/ops/portable.ts';
import type { ModelGraph } from '../model/graph.ts';
import { createInference } from '../model/inference.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { decodedRows } from './decoded-rows.ts';
import type { GraphDef } from './graph-def.ts';
import { traceGraph } from './trace-backend.ts';
import { BATCH } from './traced-node.ts';

/** Names of the graph's input and output. */
export const INPUT = 'images';
export const OUTPUT = 'detections';

/** One node instead of the four of the differentiable form. */
const exportOps: EngineOps = {
  ...portableOps,
  upsample2: (x) => {
    const [, h, w] = x.shape;
    return tf.image.resizeNearestNeighbor(x, [2 * h, 2 * w]);
  },
};

/**
 * The graph of a model with its batch norms folded in: input [N, S, S, C] float32 in 0...1 with S = `imageSize`,
 * output [N, rows, 5 + nc] as `decodedRows` gives them. Throws E_EXPORT, E_WEIGHTS_TRANSFER.
 */
export const tfjsGraph = (graph: ModelGraph, state: StateDict, imageSize: number): Promise<GraphDef> =>
  traceGraph({ name: INPUT, shape: [BATCH, imageSize, imageSize, graph.inChannels] }, OUTPUT, (x) => {
    const model = createInference(graph, state, exportOps);
    const { heads } = model.forward(x);
    const rows = decodedRows(heads, model.head);
    model.dispose();
    return rows;
  });
