/** Piecewise linear interpolation, running mean and trapezoidal area, as the metrics of detection use them. */
import { roundHalfEven } from '../data/round-half-even.ts';

/** The index of the last abscissa <= x; -1 when x is below the first. `xs` ascending. */
function lastAtMost(xs: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? Infinity) <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The value at `x` of the line through the points (xs, ys): numpy's `interp`. `xs` is ascending and not empty; of
 * equal abscissae the right-most counts. Below the first abscissa it is `left`, above the last the last value.
 */
export function interpolate(
  x: number,
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  left: number = ys[0] ?? 0,
): number {
  const i = lastAtMost(xs, x);
  if (i < 0) return left;
  const [x0 = 0, y0 = 0] = [xs[i], ys[i]];
  const [x1, y1] = [xs[i + 1], ys[i + 1]];
  if (x1 === undefined || y1 === undefined) return y0;
  return ((y1 - y0) / (x1 - x0)) * (x - x0) + y0;
}

/** Area under the points (xs, ys) by the trapezoidal rule. */
export function trapezoidArea(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  let area = 0;
  for (let i = 1; i < xs.length; i++) {
    area += (((xs[i] ?? 0) - (xs[i - 1] ?? 0)) * ((ys[i] ?? 0) + (ys[i - 1] ?? 0))) / 2;
  }
  return area;
}

/**
 * Running mean over a window of `round(2·n·fraction) div 2 + 1` values (half to even), the ends padded with the end
 * values. An even window gives one value more than it got, as the original does.
 */
export function boxSmooth(values: Float64Array, fraction: number): Float64Array {
  const n = values.length;
  const window = Math.floor(roundHalfEven(n * fraction * 2) / 2) + 1;
  const half = Math.floor(window / 2);
  const at = (i: number): number => values[Math.min(Math.max(i - half, 0), n - 1)] ?? 0;
  return Float64Array.from({ length: n + 2 * half - window + 1 }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < window; k++) sum += at(i + k) / window;
    return sum;
  });
}
