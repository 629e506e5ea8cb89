/** The feature maps of the small vectors, [2,4,5,3]. */
import * as tf from '@tensorflow/tfjs-core';

/** A map from a formula over (n, c, h, w). */
function feature(of: (n: number, c: number, h: number, w: number) => number): tf.Tensor4D {
  const data: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let h = 0; h < 4; h++)
      for (let w = 0; w < 5; w++) for (let c = 0; c < 3; c++) data.push(of(n, c, h, w));
  return tf.tensor4d(data, [2, 4, 5, 3]);
}

export const vectorStudent = (): tf.Tensor4D =>
  feature((n, c, h, w) => ((13 * n + 7 * c + 5 * h + 3 * w) % 17) / 8 - 1);
export const vectorTeacher = (): tf.Tensor4D =>
  feature((n, c, h, w) => ((5 * n + 11 * c + 3 * h + 7 * w) % 19) / 6 - 1);
