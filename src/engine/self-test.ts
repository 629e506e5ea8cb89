/** Whether an engine differentiates rightly, and how fast it is: what `softshard doctor` asks each engine. */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { EngineOps } from './engine.ts';
import { EPSILON, INPUTS, OUTPUTS, probeInputs, referenceGradients, SIDE } from './self-test-reference.ts';

/** Largest error of a gradient, relative to its largest element, with which an engine passes. */
export const GRADIENT_TOLERANCE = 1e-3;

/** What the self-test of one engine found; plain data. */
export const selfTestSchema = z.object({
  /** Largest error of any gradient against float64, relative to the gradient's largest element. */
  gradientError: z.number(),
  /** Speed of a 3x3 convolution forward and backward, GFLOP/s. */
  gflops: z.number(),
  device: z.string(),
  threads: z.number(),
  /** Version of TensorFlow, where it is the native engine. */
  tensorflow: z.string().optional(),
});
export type SelfTest = z.infer<typeof selfTestSchema>;

/** The largest relative error of the gradients of convolution, batch norm and SiLU. */
export function gradientError(ops: EngineOps): number {
  return tf.tidy(() => {
    const { x, w, gamma, beta } = probeInputs();
    const inputs = [
      tf.tensor4d(Float32Array.from(x), [1, SIDE, SIDE, INPUTS]),
      tf.tensor4d(Float32Array.from(w), [3, 3, INPUTS, OUTPUTS]),
      tf.tensor1d(Float32Array.from(gamma)),
      tf.tensor1d(Float32Array.from(beta)),
    ];
    const gradients = tf.grads((image, filter, g, b) => {
      const y = ops.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, { stride: 1, padding: 1 });
      const normal = ops.batchNormTrain(y, g as tf.Tensor1D, b as tf.Tensor1D, EPSILON);
      tf.dispose([normal.mean, normal.variance]);
      return tf.sum(tf.square(ops.silu(normal.y)));
    })(inputs);
    const errors = referenceGradients().map((expected, i) => {
      const actual = gradients[i]?.dataSync() ?? new Float32Array();
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = expected.reduce((most, value, k) => {
        const difference = Math.abs((actual[k] ?? Number.NaN) - value);
        return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
      }, 0);
      return off / largest;
    });
    return Math.max(...errors);
  });
}

/** Size of the convolution that is timed: pixels of a side, and channels in and out. */
export interface SpeedProbe {
  readonly side: number;
  readonly channels: number;
}

const PROBE: SpeedProbe = { side: 40, channels: 32 };

/**
 * Speed of a 3x3 convolution with both gradients, GFLOP/s: repeated for about `budgetMs`, at least once after a first
 * run that is not counted.
 *
 * @param nowMs A monotonic clock, milliseconds.
 */
export function probeSpeed(ops: EngineOps, nowMs: () => number, budgetMs = 500, probe = PROBE): number {
  const { side, channels } = probe;
  const x = tf.ones<tf.Rank.R4>([1, side, side, channels]);
  const w = tf.ones<tf.Rank.R4>([3, 3, channels, channels]);
  const gradients = tf.grads((image, filter) =>
    tf.sum(ops.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, { stride: 1, padding: 1 })),
  );
  const once = (): void => {
    tf.tidy(() => {
      // Reading one value back waits for a device that works on its own.
      for (const gradient of gradients([x, w])) tf.sum(gradient).dataSync();
    });
  };
  once();
  const started = nowMs();
  let runs = 0;
  do {
    once();
    runs++;
  } while (nowMs() - started < budgetMs);
  const seconds = (nowMs() - started) / 1000;
  tf.dispose([x, w]);
  const flops = 3 * 2 * side * side * 9 * channels * channels; // Forward and two gradients, 2 FLOP a product.
  return (runs * flops) / seconds / 1e9;
}
