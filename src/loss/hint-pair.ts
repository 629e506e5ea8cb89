/** A pair of layers and how their features are compared. */
import type { FocalGlobalOptions } from './features/focal-global.ts';
import type { MaskedGenerationOptions } from './features/masked-generation.ts';

/** How two feature maps are compared: see the functions in `features/`. */
export const HINT_KINDS = ['mse', 'l1', 'cosine', 'at', 'pkd', 'cwd', 'fgd', 'mgd'] as const;
export type HintKind = (typeof HINT_KINDS)[number];

/** What stands between student and teacher: a trained 1x1 convolution with bias, or nothing. */
export const HINT_ADAPTERS = ['conv1x1', 'none'] as const;
export type HintAdapter = (typeof HINT_ADAPTERS)[number];

/** Whether the adapter is trained with the student, stays as it was drawn, or is drawn anew at every batch. */
export const ADAPTER_WEIGHTS = ['trained', 'frozen', 'redrawn'] as const;
export type AdapterWeights = (typeof ADAPTER_WEIGHTS)[number];

/** Whose feature is standardised by channel over the batch before it is compared. */
export const HINT_NORMS = ['none', 'student', 'both'] as const;
export type HintNorm = (typeof HINT_NORMS)[number];

/** Which pixels count: all alike, by the teacher's objectness, or those inside labelled boxes. */
export const HINT_PIXELS = ['all', 'objectness', 'boxes'] as const;
export type HintPixels = (typeof HINT_PIXELS)[number];

/** The kinds that take weights of pixels. */
export const WEIGHTED_KINDS: readonly HintKind[] = ['mse', 'l1', 'cosine'];

export interface HintPair {
  /** Layer indices in the two graphs. */
  readonly student: number;
  readonly teacher: number;
  readonly kind: HintKind;
  /** Temperature of `cwd`. 1 by default. */
  readonly temperature?: number | undefined;
  /** `none` by default; see `batchStandard`. */
  readonly norm?: HintNorm | undefined;
  /** Of `mse`, `l1` and `cosine`; `all` by default. */
  readonly pixels?: HintPixels | undefined;
  readonly fgd?: Partial<Readonly<Record<keyof FocalGlobalOptions, number | undefined>>> | undefined;
  readonly mgd?: Partial<Readonly<Record<keyof MaskedGenerationOptions, number | undefined>>> | undefined;
}

/** The pair's name, `STUDENT-TEACHER`: its term in the loss, and its adapter. */
export const pairName = ({ student, teacher }: Pick<HintPair, 'student' | 'teacher'>): string =>
  `${student}-${teacher}`;

/** The weights of FGD with the paper's defaults for one-stage detectors. */
export const focalGlobalOptions = ({ fgd }: Pick<HintPair, 'fgd'>): FocalGlobalOptions => ({
  alpha: fgd?.alpha ?? 1e-3,
  beta: fgd?.beta ?? 5e-4,
  gamma: fgd?.gamma ?? 1e-3,
  lambda: fgd?.lambda ?? 5e-6,
  temperature: fgd?.temperature ?? 0.5,
});

/** The settings of MGD with the paper's defaults for one-stage detectors. */
export const maskedGenerationOptions = ({ mgd }: Pick<HintPair, 'mgd'>): MaskedGenerationOptions => ({
  alpha: mgd?.alpha ?? 2e-5,
  hidden: mgd?.hidden ?? 0.65,
});
