/** Filters between PyTorch's layout [O,I,kH,kW] and the engine's [kH,kW,I,O]. */

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The engine's shape of a state-dict entry: HWIO for filters, unchanged otherwise. */
export const engineShape = (shape: readonly number[]): number[] => {
  const [o, i, h, w] = shape;
  return shape.length === 4 && o !== undefined && i !== undefined && h !== undefined && w !== undefined
    ? [h, w, i, o]
    : [...shape];
};

/** OIHW to HWIO for rank 4; a plain copy otherwise. */
export function toEngineLayout(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length !== 4) return data.slice();
  const [outputs, inputs] = shape as [number, number, number, number];
  const taps = product(shape.slice(2));
  const result = new Float32Array(data.length);
  for (let o = 0, at = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++, at++) result[(t * inputs + i) * outputs + o] = data[at] ?? 0;
    }
  }
  return result;
}

/** HWIO to OIHW; `shape` is PyTorch's. A plain copy for other ranks. */
export function toTorchLayout(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length !== 4) return data.slice();
  const [outputs, inputs] = shape as [number, number, number, number];
  const taps = product(shape.slice(2));
  const result = new Float32Array(data.length);
  for (let o = 0, at = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++, at++) result[at] = data[(t * inputs + i) * outputs + o] ?? 0;
    }
  }
  return result;
}
