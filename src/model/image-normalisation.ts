import * as tf from '@tensorflow/tfjs-core';

/** Mean and standard deviation of ImageNet's RGB values in 0...1, which torchvision's weights were trained with. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_DEVIATION = [0.229, 0.224, 0.225] as const;

/** (x - mean) / deviation of RGB images [B,H,W,3] in 0...1. */
export const imageNormalisation = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.mul(tf.sub(x, tf.tensor1d([...IMAGENET_MEAN])), tf.tensor1d(IMAGENET_DEVIATION.map((d) => 1 / d)));
