/** One axis of a chart: its range, its ticks, and where a value lies between 0 and 1 along it. */
import { formatTicks, logTicks, niceTicks } from './ticks.ts';

export interface Axis {
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** Position of a value along the axis, 0 at its low end, 1 at its high end; undefined where it has none. */
  place(value: number): number | undefined;
}

/** Beyond these a range, or the step of its ticks, could leave float64. */
const LARGEST = 1e250;
const SMALLEST = 1e-250;

const drawable = (value: number): boolean => Math.abs(value) <= LARGEST;

/** Whether a range is too narrow to put ticks in. */
const isPoint = ([min, max]: readonly [number, number]): boolean =>
  max - min <= Math.max(Math.abs(min), Math.abs(max)) * 1e-9 || max - min < SMALLEST;

function extent(values: readonly number[]): [number, number] | undefined {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? [min, max] : undefined;
}

function axisOf(
  ticks: readonly number[],
  min: number,
  max: number,
  scale: (value: number) => number,
  accepts = drawable,
): Axis {
  const [low, high] = [scale(min), scale(max)];
  const place = (value: number): number | undefined => {
    const at = (scale(value) - low) / (high - low);
    return accepts(value) && Number.isFinite(at) ? at : undefined;
  };
  const texts = formatTicks(ticks);
  return { ticks: ticks.map((tick, i) => ({ at: place(tick) ?? 0, text: texts[i] ?? '' })), place };
}

/** A range with room for ticks: a single value is given half of itself on either side, or 1 when it is zero. */
function widened([min, max]: [number, number]): [number, number] {
  if (!isPoint([min, max])) return [min, max];
  const margin = Math.abs(max) < SMALLEST ? 1 : Math.abs(max) / 2;
  return [min - margin, max + margin];
}

/** The axis along x: as wide as the values; at whole numbers only when all values are whole. */
export function horizontalAxis(values: readonly number[]): Axis | undefined {
  const range = extent(values.filter(drawable));
  if (range === undefined) return undefined;
  const whole = values.every((value) => Number.isInteger(value) || !drawable(value));
  const [min, max] = widened(range);
  return axisOf(niceTicks(min, max, { count: 7, whole }), min, max, (v) => v);
}

/** The linear axis along y: from tick to tick, from zero when the values come near it. */
export function verticalAxis(values: readonly number[]): Axis | undefined {
  const range = extent(values.filter(drawable));
  if (range === undefined) return undefined;
  const [low, high] = widened(range);
  const ticks = niceTicks(low > 0 && low < high / 3 ? 0 : low, high < 0 && high > low / 3 ? 0 : high, {
    loose: true,
  });
  return axisOf(ticks, ticks[0] ?? low, ticks.at(-1) ?? high, (v) => v);
}

/** The logarithmic axis along y, over the positive values. */
export function logarithmicAxis(values: readonly number[]): Axis | undefined {
  const range = extent(values.filter((value) => value >= SMALLEST && drawable(value)));
  if (range === undefined) return undefined;
  const [min, max] = range[1] / range[0] > 1.0001 ? range : [range[0] / 2, range[1] * 2];
  const margin = Math.exp(0.04 * (Math.log(max) - Math.log(min)));
  const [low, high] = [min / margin, max * margin];
  return axisOf(logTicks(low, high), low, high, Math.log, (v) => v >= SMALLEST && drawable(v));
}
