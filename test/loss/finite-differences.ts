import * as tf from '@tensorflow/tfjs-core';

/**
 * The largest difference between the gradient of `f` at `values` and central differences with step `step`. Float32
 * values limit both: expect about (rounding of f) / step + step^2.
 */
export function gradientError(
  f: (x: tf.Tensor) => tf.Tensor,
  values: ArrayLike<number>,
  shape: readonly number[],
  step: number,
): number {
  return tf.tidy(() => {
    const at = (data: Float32Array): tf.Tensor => tf.tensor(data, [...shape]);
    const point = Float32Array.from(values);
    const gradient = tf
      .grad((x: tf.Tensor) => tf.sum(f(x)))(at(point))
      .dataSync();
    let largest = 0;
    point.forEach((value, i) => {
      const [low, high] = [value - step, value + step].map((moved) => {
        const data = point.slice();
        data[i] = moved;
        return { x: data[i] ?? NaN, y: tf.tidy(() => tf.sum(f(at(data))).dataSync()[0] ?? NaN) };
      }) as [{ x: number; y: number }, { x: number; y: number }];
      const slope = (high.y - low.y) / (high.x - low.x);
      const error = Math.abs(slope - (gradient[i] ?? NaN));
      if (!(error <= largest)) largest = error;
    });
    return largest;
  });
}
