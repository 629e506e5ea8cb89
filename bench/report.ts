/** The result of a benchmark run: one object, and the same as a table. */
import { z } from 'zod';

export const BENCH_FORMAT = { format: 'softshard-bench', major: 1, minor: 2 } as const;

export const figureSchema = z.object({
  /** What was measured (`decode`). */
  name: z.string(),
  value: z.number(),
  /** `images/s`, `MB/s`, `ms`, `MB`, `share`, `ratio`. */
  unit: z.string(),
  note: z.string().optional(),
});
export type Figure = z.infer<typeof figureSchema>;

/** Ours / theirs: below 1 is faster, or smaller, than the other. */
export const ratiosSchema = z.looseObject({
  /** Training step of the native engine against PyTorch's: the worst of the widths, against PyTorch at its best. */
  step: z.number().optional(),
  /** Forward pass with folded batch norm, likewise. */
  forward: z.number().optional(),
  /** Peak resident memory of the training step's process, likewise. */
  memory: z.number().optional(),
  /** The same above what each process occupies once its libraries are loaded. */
  memoryGrown: z.number().optional(),
  /** Training step of the wasm engine against TensorFlow.js's own operations on its wasm backend. */
  wasmStep: z.number().optional(),
  /** Input gradients of all convolutions, ours against TensorFlow.js's kernel: what of the step's convolutions it has. */
  wasmInputGradient: z.number().optional(),
  /** Views a second against OpenCV's and NumPy's, one thread each: above 1 is faster. Decoding and letterbox. */
  letterboxSpeed: z.number().optional(),
  /** The same with a mosaic, its warp, colour and flips. */
  mosaicSpeed: z.number().optional(),
});
export type Ratios = z.infer<typeof ratiosSchema>;

/** Programs that did the same work in alternating blocks. */
export const caseSchema = z.object({
  /** `input-gradient`: the kernel of that name over all convolutions of the model. */
  mode: z.enum(['step', 'forward', 'input-gradient']),
  width: z.number(),
  batch: z.int(),
  size: z.int(),
  contestants: z.array(
    z.object({
      name: z.string(),
      library: z.string(),
      threads: z.int(),
      parameters: z.int(),
      /** Median of each block and of all blocks, ms. */
      blocks: z.array(z.number()),
      ms: z.number(),
      /** CPU time of an iteration, all threads. */
      cpuMs: z.number(),
      /** Results of the first iterations (losses, or a logit): equal work gives equal numbers. */
      values: z.array(z.number()),
      /** Resident memory, MB: once the library is loaded, and the peak; null where the system does not tell. */
      baseMb: z.number().nullable(),
      peakMb: z.number().nullable(),
    }),
  ),
});
export type BenchCase = z.infer<typeof caseSchema>;

export const benchSchema = z.looseObject({
  format: z.literal(BENCH_FORMAT.format),
  major: z.literal(BENCH_FORMAT.major),
  minor: z.int().min(0),
  node: z.string(),
  platform: z.string(),
  processors: z.int(),
  processor: z.string(),
  /** When the run ended, ISO 8601. */
  date: z.string().optional(),
  figures: z.array(figureSchema),
  ratios: ratiosSchema.optional(),
  cases: z.array(caseSchema).optional(),
  /** What could not be measured, and why. */
  skipped: z.array(z.string()).optional(),
});
export type BenchResult = z.infer<typeof benchSchema>;

/** What one benchmark adds to the result. */
export interface BenchPart {
  readonly figures: readonly Figure[];
  readonly ratios?: Ratios;
  readonly cases?: readonly BenchCase[];
  readonly skipped?: readonly string[];
}

/** Three digits at least: 1234, 56.7, 0.0123. */
const shortNumber = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();

/** The figures as a Markdown table. */
export const benchTable = ({ figures }: Pick<BenchResult, 'figures'>): string =>
  [
    '| what | value | unit | |',
    '|---|---:|---|---|',
    ...figures.map(
      ({ name, value, unit, note }) => `| ${name} | ${shortNumber(value)} | ${unit} | ${note ?? ''} |`,
    ),
  ].join('\n');
