/** A line's points in pixels to SVG path data: gaps kept, points that share a pixel column thinned out. */

export type PixelPoint = readonly [x: number, y: number];

/** Runs of neighbouring points; undefined separates them. */
export function segments(points: readonly (PixelPoint | undefined)[]): PixelPoint[][] {
  const runs: PixelPoint[][] = [[]];
  for (const point of points) {
    if (point === undefined) runs.push([]);
    else runs.at(-1)?.push(point);
  }
  return runs.filter((run) => run.length > 0);
}

/** Of each run of points in one pixel column: the first, the lowest, the highest and the last, in their order. */
export function thinned(run: readonly PixelPoint[]): PixelPoint[] {
  const kept: PixelPoint[] = [];
  for (let start = 0; start < run.length;) {
    const column = Math.floor(run[start]?.[0] ?? 0);
    let end = start;
    let [low, high] = [start, start];
    while (end < run.length && Math.floor(run[end]?.[0] ?? NaN) === column) {
      const y = run[end]?.[1] ?? 0;
      if (y < (run[low]?.[1] ?? 0)) low = end;
      if (y > (run[high]?.[1] ?? 0)) high = end;
      end++;
    }
    const chosen = [...new Set([start, low, high, end - 1])].sort((a, b) => a - b);
    for (const i of chosen) kept.push(run[i] ?? [0, 0]);
    start = end;
  }
  return kept;
}

const coordinate = (value: number): string => String(Math.round(value * 10) / 10);

/** `M…L…` of one run of at least two points. */
export const pathData = (run: readonly PixelPoint[]): string =>
  run.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join('');
