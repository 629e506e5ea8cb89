/**
 * The gradient of max pooling for the wasm backend, whose own kernel loses it wherever the largest value of a window
 * is negative. The first largest cell of a window, in row-major order, takes the gradient.
 */
import * as tf from '@tensorflow/tfjs-core';

type Shape4 = [number, number, number, number];

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
}

/** dx [B,H,W,C] of a max pool over `input`, given dy [B,oH,oW,C]. */
export function maxPoolGradient(dy: tf.Tensor4D, input: tf.Tensor4D, attrs: PoolAttributes): tf.Tensor4D {
  const shape: Shape4 = input.shape;
  const info = tf.backend_util.computePool2DInfo(shape, attrs.filterSize, attrs.strides, 1, attrs.pad);
  const [batch, height, width, channels] = shape;
  const x = input.dataSync<'float32'>();
  const gradient = dy.dataSync<'float32'>();
  const result = new Float32Array(x.length);
  let out = 0;
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < info.outHeight; oy++) {
      const top = oy * info.strideHeight - info.padInfo.top;
      const bottom = Math.min(top + info.filterHeight, height);
      for (let ox = 0; ox < info.outWidth; ox++) {
        const left = ox * info.strideWidth - info.padInfo.left;
        const right = Math.min(left + info.filterWidth, width);
        for (let c = 0; c < channels; c++, out++) {
          let best = -1;
          let largest = -Infinity;
          for (let yy = Math.max(top, 0); yy < bottom; yy++) {
            for (let xx = Math.max(left, 0); xx < right; xx++) {
              const at = ((b * height + yy) * width + xx) * channels + c;
              const value = x[at] ?? -Infinity;
              if (value > largest) {
                largest = value;
                best = at;
              }
            }
          }
          if (best >= 0) result[best] = (result[best] ?? 0) + (gradient[out] ?? 0);
        }
      }
    }
  }
  return tf.tensor4d(result, shape);
}
