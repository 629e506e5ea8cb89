/** Which rows are stored, how finely, and in which contexts of the entropy coder. */
import type { SymbolShape } from '../cache/codecs/symbol-writer.ts';
import type { ClassScale } from './class-scale.ts';
import { CLASS_COLUMN, type HeadShape } from './head-shape.ts';
import { stepAt } from './row-weight.ts';
import { UNIT } from './units.ts';

/** How a level's rows are stored. A place is a position in `order`. */
export interface RowPlan {
  readonly order: Uint32Array;
  /** Weight index by place. */
  readonly weights: Uint8Array;
  /** Classes are stored for the places before it. */
  readonly classRows: number;
  /** Boxes are stored for the places before it. */
  readonly boxRows: number;
  /** Classes of the places from `classRows` to here are those predicted. */
  readonly predictedRows: number;
  /** Steps at weight 1, in 1/64 units. */
  readonly classStep: number;
  readonly boxStep: number;
  /** Divides the box steps of the rows whose boxes are learnt by their overlap. */
  readonly overlaps: number;
  readonly scale: ClassScale;
  /** For all other rows: class values, then box logits by anchor; in units. */
  readonly means: Int32Array;
}

/** Means are stored in steps of 1/8. */
export const MEAN_STEP = UNIT / 8;

/** Steps of the middle of a row's differences, in a class step. */
const MIDDLES_A_STEP = 4;

/** Octaves of weight below that of the first row, the last of them for all that lie deeper. */
const OCTAVES = 14;
/** Class of the number of rows that a prediction could look at. */
const SEEN = [0, 1, 2, 2, 3] as const;

/** Contexts: one for the means, then by octave of the row's weight. */
const MIDDLE = 1;
const CLASSES = MIDDLE + 2 * OCTAVES;
const CENTRE = CLASSES + 4 * OCTAVES;
const SIZE = CENTRE + 2 * OCTAVES;
const CONTEXTS = SIZE + 2 * OCTAVES;

/** Context of the means. */
export const MEANS_CONTEXT = 0;

const MOST_LANES = 16;

export const rowSymbols = ({ classes }: HeadShape): SymbolShape => ({
  flags: 0,
  numbers: CONTEXTS,
  lanes: Math.min(MOST_LANES, Math.max(CLASS_COLUMN, classes)),
});

/** Weight indices to this one: rows whose weight may exceed 0.01, from where on losses of overlaps learn boxes. */
const OVERLAP_INDICES = 13;

/** Step of a row's box logits, in units. */
export function boxStepAt({ boxStep, overlaps }: RowPlan, weight: number): number {
  const step = stepAt(boxStep, weight);
  return weight > OVERLAP_INDICES ? step : Math.max(1, Math.floor(step / overlaps));
}

/** Octave of a row's weight below the first row's. */
const octaveOf = ({ weights }: RowPlan, weight: number): number =>
  Math.min(OCTAVES - 1, (weight - (weights[0] ?? 0)) >> 1);

/** Context of box logit `column` (0 to 3), `seen` as `predictBox` says. */
export const boxContext = (plan: RowPlan, column: number, seen: number, weight: number): number =>
  (column < 2 ? CENTRE + (seen & 1) * OCTAVES : SIZE + (seen >> 1) * OCTAVES) + octaveOf(plan, weight);

/** Steps and contexts of a row's classes. */
export interface ClassCoding {
  readonly step: number;
  readonly middleStep: number;
  readonly middleContext: number;
  readonly context: number;
}

/** `seen` as `predictClasses` says. */
export function classCoding(plan: RowPlan, weight: number, seen: number): ClassCoding {
  const step = stepAt(plan.classStep, weight);
  const octave = octaveOf(plan, weight);
  return {
    step,
    middleStep: Math.max(1, Math.floor(step / MIDDLES_A_STEP)),
    middleContext: MIDDLE + (seen > 0 ? OCTAVES : 0) + octave,
    context: CLASSES + (SEEN[Math.min(SEEN.length - 1, seen)] ?? 0) * OCTAVES + octave,
  };
}
