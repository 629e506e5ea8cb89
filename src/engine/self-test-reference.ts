/**
 * One convolution, batch norm and SiLU in plain float64, with the gradients of its sum by central differences: what
 * the self-test of an engine is compared with. No engine is needed to compute it.
 */

/** Geometry of the probe: x [1, SIDE, SIDE, INPUTS], w [3, 3, INPUTS, OUTPUTS], stride 1, padding 1. */
export const SIDE = 5;
export const INPUTS = 2;
export const OUTPUTS = 3;
export const EPSILON = 1e-3;

/** Arguments of the probe, row-major; float32 numbers. */
export interface ProbeInputs {
  readonly x: Float64Array;
  readonly w: Float64Array;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
}

const wave = (size: number, frequency: number, offset: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => Math.fround(((i * frequency + offset) % 17) / 8 - 1));

export const probeInputs = (): ProbeInputs => ({
  x: wave(SIDE * SIDE * INPUTS, 7, 3),
  w: wave(9 * INPUTS * OUTPUTS, 5, 1),
  gamma: wave(OUTPUTS, 3, 11),
  beta: wave(OUTPUTS, 4, 6),
});

const at = (values: Float64Array, i: number): number => values[i] ?? Number.NaN;

function convolve({ x, w }: ProbeInputs): Float64Array {
  const y = new Float64Array(SIDE * SIDE * OUTPUTS);
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++)
      for (let o = 0; o < OUTPUTS; o++) {
        let sum = 0;
        for (let tap = 0; tap < 9; tap++) {
          const r = row + Math.floor(tap / 3) - 1;
          const c = column + (tap % 3) - 1;
          if (r < 0 || r >= SIDE || c < 0 || c >= SIDE) continue;
          for (let i = 0; i < INPUTS; i++)
            sum += at(x, (r * SIDE + c) * INPUTS + i) * at(w, (tap * INPUTS + i) * OUTPUTS + o);
        }
        y[(row * SIDE + column) * OUTPUTS + o] = sum;
      }
  return y;
}

/** The sum of silu(batchNorm(conv(x, w))) over everything, the squares weighing so that no gradient vanishes. */
function probeSum(inputs: ProbeInputs): number {
  const y = convolve(inputs);
  const n = SIDE * SIDE;
  let total = 0;
  for (let o = 0; o < OUTPUTS; o++) {
    const channel = Float64Array.from({ length: n }, (_, i) => at(y, i * OUTPUTS + o));
    const mean = channel.reduce((sum, v) => sum + v, 0) / n;
    const variance = channel.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
    const scale = at(inputs.gamma, o) / Math.sqrt(variance + EPSILON);
    for (const value of channel) {
      const z = (value - mean) * scale + at(inputs.beta, o);
      total += (z / (1 + Math.exp(-z))) ** 2;
    }
  }
  return total;
}

/** Gradients of the sum of squares of the probe's output: [x, w, gamma, beta]. Right to about 1e-8. */
export function referenceGradients(): readonly Float64Array[] {
  const inputs = probeInputs();
  const step = 1e-5;
  return (['x', 'w', 'gamma', 'beta'] as const).map((name) =>
    inputs[name].map((value, i) => {
      const moved = (delta: number): number => {
        const copy = inputs[name].slice();
        copy[i] = value + delta;
        return probeSum({ ...inputs, [name]: copy });
      };
      return (moved(step) - moved(-step)) / (2 * step);
    }),
  );
}
