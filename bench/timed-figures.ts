/** What alternating blocks found, as figures and as data. */
import type { Timed } from './alternate.ts';
import type { Work } from './contestants.ts';
import type { BenchCase, Figure } from './report.ts';

export const figuresOf = (name: string, timed: readonly Timed[], note: string): Figure[] =>
  timed.flatMap(({ name: who, ms, peakMb }) => [
    { name: `${name}, ${who}`, value: ms, unit: 'ms', note },
    ...(peakMb === null
      ? []
      : [{ name: `${name}, ${who}, peak`, value: peakMb, unit: 'MB', note: 'resident' }]),
  ]);

export const caseOf = ({ mode, batch, size }: Work, width: number, timed: readonly Timed[]): BenchCase => ({
  ...{ mode, width, batch, size },
  contestants: timed.map((one) => ({ ...one, values: [...one.values], blocks: [...one.blocks] })),
});
