/** The result of a benchmark run: one object, and the same as a table. */
import { z } from 'zod';

export const BENCH_FORMAT = { format: 'softshard-bench', major: 1, minor: 0 } as const;

export const figureSchema = z.object({
  /** What was measured (`decode`). */
  name: z.string(),
  value: z.number(),
  /** `images/s`, `MB/s`, `ms`, `MB`, `share`. */
  unit: z.string(),
  note: z.string().optional(),
});
export type Figure = z.infer<typeof figureSchema>;

export const benchSchema = z.looseObject({
  format: z.literal(BENCH_FORMAT.format),
  major: z.literal(BENCH_FORMAT.major),
  minor: z.int().min(0),
  node: z.string(),
  platform: z.string(),
  processors: z.int(),
  processor: z.string(),
  figures: z.array(figureSchema),
});
export type BenchResult = z.infer<typeof benchSchema>;

/** The figures as a Markdown table. */
export const benchTable = ({ figures }: BenchResult): string =>
  [
    '| what | value | unit | |',
    '|---|---:|---|---|',
    ...figures.map(
      ({ name, value, unit, note }) => `| ${name} | ${value.toPrecision(3)} | ${unit} | ${note ?? ''} |`,
    ),
  ].join('\n');
