/** Round numbers along an axis, and how to write them. */

/** The smallest of 1, 2, 5 times a power of ten that is >= `raw` (> 0). */
function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((f) => f * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}

export interface TickOptions {
  /** About how many; 5 by default. */
  readonly count?: number;
  /** Ticks only at whole numbers. */
  readonly whole?: boolean;
  /** Widens the ends to the next tick outside (true) or keeps ticks inside min…max (false, the default). */
  readonly loose?: boolean;
}

/** Multiples of a round step over min…max (finite, min < max), ascending, each exact to rounding. */
export function niceTicks(min: number, max: number, options: TickOptions = {}): number[] {
  const { count = 5, whole = false, loose = false } = options;
  const step = Math.max(roundStep((max - min) / count), whole ? 1 : 0);
  const slack = loose ? -1e-6 : 1e-6;
  const first = loose ? Math.floor(min / step - slack) : Math.ceil(min / step - slack);
  const last = loose ? Math.ceil(max / step + slack) : Math.floor(max / step + slack);
  // Multiplying by a step below 1 collects error; dividing by its whole inverse does not.
  const inverse = Math.round(1 / step);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) =>
    step < 1 && Number.isFinite(inverse) ? (first + i) / inverse : (first + i) * step,
  );
}

/** Powers of ten over min…max (0 < min < max), with 2 and 5 between when they are few; round numbers when narrow. */
export function logTicks(min: number, max: number, count = 6): number[] {
  const [low, high] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const every = Math.max(1, Math.ceil((high - low) / count));
  const exponents = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const inside = (value: number): boolean => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9);
  const power = (factor: number, e: number): number => Number(`${factor}e${e}`);
  const decades = exponents.filter((e) => e % every === 0).map((e) => power(1, e));
  if (decades.filter(inside).length >= 3) return decades.filter(inside);
  const finer = exponents.flatMap((e) => [1, 2, 5].map((factor) => power(factor, e)));
  if (finer.filter(inside).length >= 3) return finer.filter(inside);
  return niceTicks(min, max).filter(inside);
}

/** Digits after the point that tell `values` apart, when each is divided by `unit`. */
function decimalsOf(values: readonly number[], unit: number): number {
  for (let decimals = 0; decimals < 6; decimals++) {
    if (values.every((v) => Math.abs(v / unit - Number((v / unit).toFixed(decimals))) < 1e-7))
      return decimals;
  }
  return 6;
}

/** Writes the ticks of one axis alike: 0.25, 120k, 3M; a power of ten each (2e-5) where plain digits get long. */
export function formatTicks(ticks: readonly number[]): string[] {
  const sizes = ticks.map(Math.abs).filter((size) => size > 0);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  if (sizes.length === 0) return ticks.map(() => '0');
  if (largest >= 1e10 || smallest < 1e-4 || largest / smallest > 1e6) {
    return ticks.map((v) => (v === 0 ? '0' : Number(v.toPrecision(6)).toExponential().replace('e+', 'e')));
  }
  const [unit, suffix] = largest >= 1e6 ? [1e6, 'M'] : largest >= 1e4 ? [1e3, 'k'] : [1, ''];
  // Over several powers of ten each tick keeps its own digits: 0.001, 1, 1000.
  const shared = largest / smallest <= 100 ? decimalsOf(ticks, unit) : undefined;
  return ticks.map((v) =>
    v === 0 ? '0' : `${(v / unit).toFixed(shared ?? decimalsOf([v], unit))}${suffix}`.replace('-', '\u2212'),
  );
}
