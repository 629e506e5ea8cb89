/** The input gradients of all convolutions of a model, one after another: a kernel that TensorFlow.js's wasm has too. */
import * as tf from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../src/engine/engine.ts';
import { createInference } from '../src/model/inference.ts';
import type { ModelGraph } from '../src/model/graph.ts';
import type { StateDict } from '../src/model/tensor-data.ts';

interface Call {
  readonly inputShape: [number, number, number, number];
  readonly filter: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
  readonly options: Conv2dOptions;
}

/** Prepares the work for the images x [B,S,S,3]; each call computes every gradient once and returns a value of the last. */
export function convolutionGradients(
  graph: ModelGraph,
  state: StateDict,
  ops: EngineOps,
  x: tf.Tensor4D,
): () => number {
  const calls: Call[] = [];
  const record = (input: tf.Tensor4D, filter: tf.Tensor4D, y: tf.Tensor4D, options: Conv2dOptions) => {
    calls.push({
      inputShape: input.shape,
      filter: tf.keep(tf.clone(filter)),
      dy: tf.keep(tf.onesLike(y)),
      options,
    });
    return y;
  };
  const recording: EngineOps = {
    ...ops,
    conv2d: (input, filter, options) => record(input, filter, ops.conv2d(input, filter, options), options),
    conv2dBias: (input, filter, bias, options, silu) =>
      record(input, filter, ops.conv2dBias(input, filter, bias, options, silu), options),
  };
  const model = createInference(graph, state, recording);
  tf.dispose([...model.forward(x).heads]);
  model.dispose();
  if (calls.length === 0) throw new Error('the model ran no convolution that was recorded');
  return () =>
    tf.tidy(() => {
      let last = Number.NaN;
      for (const { inputShape, filter, dy, options } of calls) {
        const [batch, height, width, channels] = inputShape;
        const { stride, padding } = options;
        const gradient = tf.engine().runKernel<tf.Tensor>(
          'Conv2DBackpropInput',
          { dy, filter },
          {
            strides: stride,
            pad: 'valid',
            dataFormat: 'NHWC',
            inputShape: [batch, height + 2 * padding, width + 2 * padding, channels],
          },
        );
        last = tf.sum(gradient).dataSync()[0] ?? Number.NaN;
        gradient.dispose();
      }
      return last;
    });
}
