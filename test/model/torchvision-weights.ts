/** Checkpoints with torchvision's keys and values by a formula, and what torchvision computes with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TensorData } from '../../src/model/tensor-data.ts';
import { repositoryRoot } from '../reference.ts';

export type MobileNetName = 'mobilenetv2' | 'mobilenetv3-small';

interface Parity {
  readonly keys: readonly (readonly [string, readonly number[]])[];
  /** By index of `features`: the output's shape [H,W,C], and some of its values. */
  readonly features: Readonly<
    Record<
      string,
      {
        readonly shape: readonly number[];
        readonly mean: number;
        readonly rms: number;
        readonly first: readonly number[];
        readonly last: readonly number[];
      }
    >
  >;
}

/** Made by torchvision 0.29.2 from the values of `torchvisionState` and `probeImage`, standardised. */
export const torchvisionParity = (name: MobileNetName): Parity =>
  (
    JSON.parse(
      readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'mobilenet.json'), 'utf8'),
    ) as Readonly<Record<MobileNetName, Parity>>
  )[name];

const scaleOf = (key: string, shape: readonly number[]): ((s: number) => number) => {
  const [, inputs = 1, height = 1, width = 1] = shape;
  if (key.endsWith('running_var')) return (s) => 1e-3 * (1.2 + s);
  if (key.endsWith('running_mean')) return (s) => 0.02 * s;
  if (shape.length === 4) return (s) => 0.05 * s * Math.sqrt(2 / (inputs * height * width));
  if (shape.length === 2) return (s) => s * Math.sqrt(1 / inputs);
  return key.endsWith('weight') ? (s) => 1 + 0.3 * s : (s) => 0.1 * s;
};

/** A state dict with every key that torchvision's model has. */
export function torchvisionState(name: MobileNetName): Map<string, TensorData> {
  return new Map(
    torchvisionParity(name).keys.map(([key, shape], k): [string, TensorData] => {
      if (key.endsWith('num_batches_tracked'))
        return [key, { dtype: 'int64', shape, data: BigInt64Array.of(0n) }];
      const value = scaleOf(key, shape);
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: size }, (_, i) => value(Math.sin(0.37 * i + k)));
      return [key, { dtype: 'float32', shape, data }];
    }),
  );
}

/** RGB in 0...1, [64,64,3]. */
export const probeImage = (): Float32Array =>
  Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => 0.5 + 0.5 * Math.sin(0.011 * i + ((0.3 * i) % 7)));
