/** The input gradients that the benchmark times: those of every convolution that a model's inference runs. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { convolutionGradients } from '../../bench/convolution-gradients.ts';
import { openEngine } from '../../src/engine/select.ts';
import { buildGraph } from '../../src/model/graph.ts';
import { initialState } from '../../src/model/initial-state.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';

test('every convolution of the model is found, and its gradient is a number', async () => {
  const { engine } = await openEngine('wasm');
  const graph = buildGraph(readModelYaml('yolov5p.yaml'));
  const x = tf.fill<tf.Rank.R4>([1, 32, 32, 3], 0.5);
  let gradients = 0;
  const kernel = tf.getKernel('Conv2DBackpropInput', 'wasm');
  const counting: tf.KernelConfig = {
    ...kernel,
    kernelFunc: (parameters) => {
      gradients++;
      return kernel.kernelFunc(parameters);
    },
  };
  tf.unregisterKernel('Conv2DBackpropInput', 'wasm');
  tf.registerKernel(counting);
  try {
    const value = convolutionGradients(graph, initialState(graph, 0), engine.ops, x)();
    assert.ok(Number.isFinite(value) && value !== 0, String(value));
    const filters = graph.entries.filter(({ name, shape }) => name.endsWith('.weight') && shape.length === 4);
    assert.equal(gradients, filters.length);
  } finally {
    tf.unregisterKernel('Conv2DBackpropInput', 'wasm');
    tf.registerKernel(kernel);
    x.dispose();
  }
});
