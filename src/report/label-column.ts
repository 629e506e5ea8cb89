/** Labels in a column, each as near its wish as the others allow. */

/**
 * Final centres for labels that wish to sit at `wishes`, at least `gap` apart, inside low…high; order of the wishes
 * kept, ties by index. Undefined when they do not fit.
 */
export function spread(
  wishes: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] | undefined {
  if ((wishes.length - 1) * gap > high - low) return undefined;
  const order = wishes.map((_, i) => i).sort((a, b) => (wishes[a] ?? 0) - (wishes[b] ?? 0));
  const placed = new Array<number>(wishes.length).fill(low);
  let lowest = low;
  for (const i of order) {
    placed[i] = Math.max(wishes[i] ?? low, lowest);
    lowest = placed[i] + gap;
  }
  let highest = high;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i] ?? high, highest);
    highest = placed[i] - gap;
  }
  return placed;
}
