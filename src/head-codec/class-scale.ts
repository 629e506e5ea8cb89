/**
 * The scale on which class logits are quantised. Losses of logits need the same step everywhere, losses of
 * probabilities a fine one where sigmoid is steep and next to none elsewhere. So the logit t becomes f(t) with the
 * slope 1 + gain * 4 sigmoid'(t), taken to be constant between whole logits.
 */
import { UNIT } from './units.ts';

/** 4 sigmoid' on average between |t| = i and i + 1, in 1/64; 0 from 6 on. */
const STEEPNESS = [59, 39, 19, 8, 3, 1] as const;

export interface ClassScale {
  /** f of a logit, both in units. */
  scaled(logit: number): number;
  /** The logit of a whole f, both in units. */
  logit(scaled: number): number;
}

/** The scale for a gain, which is rounded to 1/64; 0 leaves logits as they are. */
export function classScale(gain: number): ClassScale {
  const slopes = STEEPNESS.map((steepness) => 1 + (Math.round(gain * 64) * steepness) / 4096);
  /** f at |t| = 0, 1, ... 6, in units: whole numbers. */
  const starts = Float64Array.of(0, ...slopes);
  for (let i = 1; i < starts.length; i++) starts[i] = (starts[i - 1] ?? 0) + (slopes[i - 1] ?? 0) * UNIT;
  const last = STEEPNESS.length;
  const end = last * UNIT;
  const scaledEnd = starts[last] ?? 0;
  return {
    scaled: (logit) => {
      const size = Math.abs(logit);
      if (size >= end) return logit < 0 ? logit + end - scaledEnd : logit - end + scaledEnd;
      const i = Math.floor(size / UNIT);
      const scaled = (starts[i] ?? 0) + (size - i * UNIT) * (slopes[i] ?? 1);
      return logit < 0 ? -scaled : scaled;
    },
    logit: (scaled) => {
      const size = Math.abs(scaled);
      if (size >= scaledEnd) return scaled < 0 ? scaled + scaledEnd - end : scaled - scaledEnd + end;
      let i = 0;
      while (size >= (starts[i + 1] ?? 0)) i++;
      const logit = i * UNIT + (size - (starts[i] ?? 0)) / (slopes[i] ?? 1);
      return scaled < 0 ? -logit : logit;
    },
  };
}
