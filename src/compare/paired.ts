/** Means and spreads over seeds, and differences between two methods at the same seeds. */

export interface Spread {
  readonly mean: number;
  /** Sample standard deviation (n - 1); null of a single value. */
  readonly deviation: number | null;
  readonly count: number;
}

/** Mean and deviation of at least one value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null, count };
}

/** Values by seed. */
export type BySeed = ReadonlyMap<number, number>;

/** Spread of `ours - theirs` over the seeds that both have; undefined where they share none. */
export const pairedDifference = (ours: BySeed, theirs: BySeed): Spread | undefined =>
  spreadOf(
    [...ours].flatMap(([seed, value]) => {
      const other = theirs.get(seed);
      return other === undefined ? [] : [value - other];
    }),
  );

/** The name with the highest mean, the first of equals; undefined where none has a value. */
export function bestOf(candidates: readonly (readonly [name: string, values: BySeed])[]): string | undefined {
  let best: string | undefined;
  let highest = -Infinity;
  for (const [name, values] of candidates) {
    const { mean } = spreadOf([...values.values()]) ?? { mean: -Infinity };
    if (mean > highest) [best, highest] = [name, mean];
  }
  return best;
}
