/** MGD, masked generative distillation (Yang et al. 2022). */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../../engine/engine.ts';
import { drawKey, drawWords } from '../../random/keyed.ts';
import { squaredError } from './squared-error.ts';

export interface MaskedGenerationOptions {
  /** Weight of the sum of squares, 2e-5 in the paper for one-stage detectors. */
  readonly alpha: number;
  /** Share of the pixels that are hidden, 0...1, exclusive; 0.65 in the paper for one-stage detectors. */
  readonly hidden: number;
}

/** The trained generator over C channels: filters [3,3,C,C] and biases [C]. */
export interface GeneratorParameters {
  readonly firstWeight: tf.Tensor4D;
  readonly firstBias: tf.Tensor1D;
  readonly secondWeight: tf.Tensor4D;
  readonly secondBias: tf.Tensor1D;
}

/** Which draw of the masks a batch takes. */
export interface MaskDraw {
  readonly seed: number;
  readonly iteration: number;
  /** Tells apart the hints of a run. */
  readonly pair: number;
}

/**
 * 0 for hidden pixels and 1 for the others, [B,H,W,1]: a pure function of the draw, so that a resumed training masks
 * as an uninterrupted one does. The caller disposes the result.
 */
export function generationMask(
  [batch, height, width]: readonly [number, number, number],
  hidden: number,
  { seed, iteration, pair }: MaskDraw,
): tf.Tensor4D {
  const key = drawKey(seed, 'generation-mask', pair, iteration);
  const threshold = hidden * 0x100000000;
  const data = new Float32Array(batch * height * width);
  for (let i = 0; i < data.length; i += 4) {
    drawWords(key, i / 4).forEach((word, k) => {
      if (i + k < data.length) data[i + k] = word >>> 0 < threshold ? 0 : 1;
    });
  }
  return tf.tensor4d(data, [batch, height, width, 1]);
}

/**
 * alpha / B times the sum of (teacher - G(mask * student))^2, with G = conv3x3, ReLU, conv3x3: the student's feature,
 * hidden in part, must suffice to generate the teacher's. Maps are [B,H,W,C], `mask` [B,H,W,1]. Differentiable in
 * `student` and the generator.
 */
export function maskedGeneration(
  ops: EngineOps,
  student: tf.Tensor4D,
  teacher: tf.Tensor4D,
  mask: tf.Tensor4D,
  generator: GeneratorParameters,
  alpha: number,
): tf.Scalar {
  const convolve = (x: tf.Tensor4D, weight: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D =>
    tf.add(ops.conv2d(x, weight, { stride: 1, padding: 1 }), bias);
  const inner = tf.relu(convolve(tf.mul(student, mask), generator.firstWeight, generator.firstBias));
  const generated = convolve(inner, generator.secondWeight, generator.secondBias);
  return tf.mul(squaredError(generated, teacher), (alpha * teacher.size) / teacher.shape[0]);
}
