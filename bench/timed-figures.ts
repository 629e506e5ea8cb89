/** What alternating blocks found, as figures and as data. */
import type { Timed } from './alternate.ts';
import type { Work } from './contestants.ts';
import type { BenchCase, Figure } from './report.ts';

export const figuresOf = (name: string, timed: readonly Timed[], note: string): Figure[] =>
  timed.map(({ name: who, ms }) => ({ name: `${name}, ${who}`, value: ms, unit: 'ms', note }));

export const caseOf = ({ mode, batch, size }: Work, width: number, timed: readonly Timed[]): BenchCase => ({
  ...{ mode, width, batch, size },
  contestants: timed.map((one) => ({ ...one, values: [...one.values], blocks: [...one.blocks] })),
});
