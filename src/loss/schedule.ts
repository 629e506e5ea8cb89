/** How the weight of a distillation term runs over the epochs. */
export interface Schedule {
  /** `constant` keeps `from`; `linear` and `cosine` run from `from` to `to`. */
  readonly kind: 'constant' | 'linear' | 'cosine';
  /** Factors of the first and of the last epoch in which the term is on. */
  readonly from: number;
  readonly to: number;
  /** Epochs at the end in which the term is off. */
  readonly offLastEpochs: number;
  /** The same as a share of the epochs, 0...1, rounded down; the larger of the two counts. 0 by default. */
  readonly offLastShare?: number | undefined;
  /** Epochs at the start over which the factor rises in equal steps to its full height; 0 by default. */
  readonly warmupEpochs?: number | undefined;
}

/** Epochs at the end in which the term is off. */
export const epochsOff = ({ offLastEpochs, offLastShare = 0 }: Schedule, epochs: number): number =>
  Math.max(offLastEpochs, Math.floor(offLastShare * epochs));

/**
 * The factor of a term's weight in `epoch` (0-based) of `epochs`: 0 in the last ones (`epochsOff`), before them from
 * `from` in the first epoch to `to` in the last one that counts, times the share of the warm-up that is done.
 */
export function scheduleFactor(schedule: Schedule, epoch: number, epochs: number): number {
  const { kind, from, to } = schedule;
  const active = epochs - epochsOff(schedule, epochs);
  if (epoch >= active) return 0;
  const risen = Math.min(1, (epoch + 1) / Math.max(1, schedule.warmupEpochs ?? 0));
  if (kind === 'constant') return from * risen;
  const progress = active > 1 ? epoch / (active - 1) : 0;
  const done = kind === 'linear' ? progress : (1 - Math.cos(Math.PI * progress)) / 2;
  return (from + (to - from) * done) * risen;
}
