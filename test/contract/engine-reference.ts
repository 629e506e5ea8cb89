/** The engine's operations in plain float64 loops, written from their definitions: the reference of the conformance suite. */

import type { ActivationName } from '../../src/model/activation.ts';

/** A dense array in row-major order. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const dense = (shape: readonly number[], data?: ArrayLike<number>): Dense => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data === undefined ? new Float64Array(size) : Float64Array.from(data) };
};

const dims = ({ shape }: Dense): [number, number, number, number] =>
  shape as [number, number, number, number];

const at = (x: Float64Array, i: number): number => x[i] ?? Number.NaN;

export interface ReferenceConvolution {
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
  readonly dilation: number;
}

export function convolution(x: Dense, w: Dense, options: ReferenceConvolution): Dense {
  const { stride, padding, groups, dilation } = options;
  const [b, h, width, inputs] = dims(x);
  const [kh, kw, perGroup, outputs] = dims(w);
  const oh = Math.floor((h + 2 * padding - dilation * (kh - 1) - 1) / stride) + 1;
  const ow = Math.floor((width + 2 * padding - dilation * (kw - 1) - 1) / stride) + 1;
  const y = dense([b, oh, ow, outputs]);
  let out = 0;
  for (let n = 0; n < b; n++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let o = 0; o < outputs; o++) {
          const first = Math.floor(o / (outputs / groups)) * perGroup;
          let sum = 0;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const iy = oy * stride - padding + ky * dilation;
              const ix = ox * stride - padding + kx * dilation;
              if (iy < 0 || iy >= h || ix < 0 || ix >= width) continue;
              for (let i = 0; i < perGroup; i++)
                sum +=
                  at(x.data, ((n * h + iy) * width + ix) * inputs + first + i) *
                  at(w.data, ((ky * kw + kx) * perGroup + i) * outputs + o);
            }
          y.data[out++] = sum;
        }
  return y;
}

/** [dx, dw] of a convolution without groups, given the gradient of what it gives. */
export function convolutionGradients(
  x: Dense,
  w: Dense,
  dy: Dense,
  { stride, padding }: Pick<ReferenceConvolution, 'stride' | 'padding'>,
): [Dense, Dense] {
  const [b, h, width, inputs] = dims(x);
  const [kh, kw, , outputs] = dims(w);
  const [, oh, ow] = dims(dy);
  const [dx, dw] = [dense(x.shape), dense(w.shape)];
  for (let n = 0; n < b; n++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let ky = 0; ky < kh; ky++)
          for (let kx = 0; kx < kw; kx++) {
            const iy = oy * stride - padding + ky;
            const ix = ox * stride - padding + kx;
            if (iy < 0 || iy >= h || ix < 0 || ix >= width) continue;
            for (let i = 0; i < inputs; i++)
              for (let o = 0; o < outputs; o++) {
                const slope = at(dy.data, ((n * oh + oy) * ow + ox) * outputs + o);
                const from = ((n * h + iy) * width + ix) * inputs + i;
                const by = ((ky * kw + kx) * inputs + i) * outputs + o;
                dx.data[from] = at(dx.data, from) + slope * at(w.data, by);
                dw.data[by] = at(dw.data, by) + slope * at(x.data, from);
              }
          }
  return [dx, dw];
}

/** Normalised x, the batch mean, and the unbiased batch variance. */
export function batchNorm(x: Dense, gamma: Dense, beta: Dense, epsilon: number): [Dense, Dense, Dense] {
  const c = gamma.data.length;
  const n = x.data.length / c;
  const [y, mean, variance] = [dense(x.shape), dense([c]), dense([c])];
  for (let k = 0; k < c; k++) {
    let sum = 0;
    for (let i = k; i < x.data.length; i += c) sum += at(x.data, i);
    const mu = sum / n;
    let squares = 0;
    for (let i = k; i < x.data.length; i += c) squares += (at(x.data, i) - mu) ** 2;
    mean.data[k] = mu;
    variance.data[k] = squares / Math.max(n - 1, 1);
    const scale = at(gamma.data, k) / Math.sqrt(squares / n + epsilon);
    for (let i = k; i < x.data.length; i += c) y.data[i] = (at(x.data, i) - mu) * scale + at(beta.data, k);
  }
  return [y, mean, variance];
}

export const silu = (x: Dense): Dense =>
  dense(
    x.shape,
    x.data.map((v) => v / (1 + Math.exp(-v))),
  );

const hardSigmoid = (v: number): number => Math.min(Math.max(v + 3, 0), 6) / 6;

const ACTIVATION_VALUES: Readonly<Record<ActivationName, (v: number) => number>> = {
  silu: (v) => v / (1 + Math.exp(-v)),
  relu: (v) => Math.max(v, 0),
  relu6: (v) => Math.min(Math.max(v, 0), 6),
  leaky_relu: (v) => (v > 0 ? v : 0.1 * v),
  hardswish: (v) => v * hardSigmoid(v),
  hardsigmoid: hardSigmoid,
  identity: (v) => v,
};

export const activation = (name: ActivationName, x: Dense): Dense =>
  dense(x.shape, x.data.map(ACTIVATION_VALUES[name]));

/** x times hard-sigmoid(W2 relu(W1 mean(x) + b1) + b2), of [x, W1, b1, W2, b2] in the engine's layout. */
export function squeezeExcitation(inputs: readonly Dense[]): Dense {
  const [x, w1, b1, w2, b2] = inputs as [Dense, Dense, Dense, Dense, Dense];
  const [b, h, w, c] = dims(x);
  const squeeze = b1.data.length;
  const y = dense(x.shape);
  for (let n = 0; n < b; n++) {
    const mean = new Float64Array(c);
    for (let p = 0; p < h * w; p++)
      for (let i = 0; i < c; i++) mean[i] = at(mean, i) + at(x.data, (n * h * w + p) * c + i) / (h * w);
    const inner = Float64Array.from({ length: squeeze }, (_, o) => {
      let sum = at(b1.data, o);
      for (let i = 0; i < c; i++) sum += at(mean, i) * at(w1.data, i * squeeze + o);
      return Math.max(sum, 0);
    });
    for (let o = 0; o < c; o++) {
      let sum = at(b2.data, o);
      for (let i = 0; i < squeeze; i++) sum += at(inner, i) * at(w2.data, i * c + o);
      for (let p = 0; p < h * w; p++) {
        const k = (n * h * w + p) * c + o;
        y.data[k] = at(x.data, k) * hardSigmoid(sum);
      }
    }
  }
  return y;
}

/** [dx, dgamma, dbeta] of a batch norm, given the gradient of what it gives; Ioffe & Szegedy 2015, section 3. */
export function batchNormGradient(x: Dense, gamma: Dense, dy: Dense, epsilon: number): [Dense, Dense, Dense] {
  const c = gamma.data.length;
  const n = x.data.length / c;
  const one = dense([c], new Float64Array(c).fill(1));
  const [normalised, , variance] = batchNorm(x, one, dense([c]), epsilon);
  const [dx, dGamma, dBeta] = [dense(x.shape), dense([c]), dense([c])];
  for (let k = 0; k < c; k++) {
    let sum = 0;
    let products = 0;
    for (let i = k; i < dy.data.length; i += c) {
      sum += at(dy.data, i);
      products += at(dy.data, i) * at(normalised.data, i);
    }
    dBeta.data[k] = sum;
    dGamma.data[k] = products;
    const biased = (at(variance.data, k) * Math.max(n - 1, 1)) / n;
    const scale = at(gamma.data, k) / Math.sqrt(biased + epsilon);
    for (let i = k; i < dy.data.length; i += c)
      dx.data[i] = scale * (at(dy.data, i) - sum / n - (at(normalised.data, i) * products) / n);
  }
  return [dx, dGamma, dBeta];
}

/** dy times the derivative of x * sigmoid(x). */
export const siluGradient = (x: Dense, dy: Dense): Dense =>
  dense(
    x.shape,
    x.data.map((v, i) => {
      const s = 1 / (1 + Math.exp(-v));
      return at(dy.data, i) * s * (1 + v * (1 - s));
    }),
  );

export function maxPool(x: Dense, k: number, stride: number): Dense {
  const [b, h, w, c] = dims(x);
  const p = k >> 1;
  const oh = Math.floor((h + 2 * p - k) / stride) + 1;
  const ow = Math.floor((w + 2 * p - k) / stride) + 1;
  const y = dense([b, oh, ow, c]);
  let out = 0;
  for (let n = 0; n < b; n++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let i = 0; i < c; i++) {
          let largest = -Infinity;
          for (let iy = Math.max(0, oy * stride - p); iy < Math.min(h, oy * stride - p + k); iy++)
            for (let ix = Math.max(0, ox * stride - p); ix < Math.min(w, ox * stride - p + k); ix++)
              largest = Math.max(largest, at(x.data, ((n * h + iy) * w + ix) * c + i));
          y.data[out++] = largest;
        }
  return y;
}

export function upsample2(x: Dense): Dense {
  const [b, h, w, c] = dims(x);
  const y = dense([b, 2 * h, 2 * w, c]);
  let out = 0;
  for (let n = 0; n < b; n++)
    for (let oy = 0; oy < 2 * h; oy++)
      for (let ox = 0; ox < 2 * w; ox++)
        for (let i = 0; i < c; i++) y.data[out++] = at(x.data, ((n * h + (oy >> 1)) * w + (ox >> 1)) * c + i);
  return y;
}

export function gatherRows(x: Dense, indices: Int32Array): Dense {
  const c = x.shape[1] ?? 0;
  return dense(
    [indices.length, c],
    Array.from(indices).flatMap((row) => [...x.data.slice(row * c, (row + 1) * c)]),
  );
}

/** -t ln s(x) - (1 - t) ln(1 - s(x)), written so that it does not overflow. */
export const sigmoidCrossEntropy = (x: Dense, targets: Dense): Dense =>
  dense(
    x.shape,
    x.data.map((v, i) => Math.max(v, 0) - v * at(targets.data, i) + Math.log1p(Math.exp(-Math.abs(v)))),
  );
