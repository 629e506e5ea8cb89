/**
 * Non-maximum suppression of one image's rows (YOLOv5 v7.0 convention).
 *
 * Boxes suppress each other inside their class only. The original adds class·7680 to the coordinates and runs one
 * suppression over all classes, which quantises coordinates to 1/16 px at high classes; grouping by class is equal
 * up to that quantisation and free of it. There is no time limit.
 */
import { SoftshardError } from '../errors.ts';
import type { Box, Detection } from './box.ts';
import { overlap } from './overlap.ts';
import { CandidateSelection } from './candidate-selection.ts';

export interface NmsOptions {
  /** Rows with objectness, and detections with score, above this (strictly) are kept; 0…1. Validation: 0.001. */
  readonly confThreshold: number;
  /** A box is suppressed by a better one of its class that it overlaps by more than this; 0…1. Validation: 0.6. */
  readonly iouThreshold: number;
  /** Detections kept an image, >= 1. 300 by default. */
  readonly maxDetections?: number;
  /** Every class over the threshold is a detection (true), or a row's best class only (false, the default). */
  readonly multiLabel?: boolean;
  /** Candidates that enter the suppression, best first, >= 1. 30000 by default. */
  readonly maxCandidates?: number;
  /** Boxes suppress each other whatever their class. False by default. */
  readonly agnostic?: boolean;
  /** Only these classes are kept; all by default. */
  readonly classes?: readonly number[];
}

function check(rows: Float32Array, nc: number, options: Required<Omit<NmsOptions, 'classes'>>): void {
  const { confThreshold, iouThreshold, maxDetections, maxCandidates } = options;
  const fail = (where: string, expected: string, found: number): never => {
    throw new SoftshardError('E_USAGE', {
      message: 'Non-maximum suppression cannot use an option.',
      where,
      expected,
      found: String(found),
    });
  };
  for (const [name, value] of Object.entries({ confThreshold, iouThreshold })) {
    if (!(value >= 0 && value <= 1)) fail(name, 'a number in 0…1', value);
  }
  for (const [name, value] of Object.entries({ maxDetections, maxCandidates })) {
    if (!Number.isInteger(value) || value < 1 || value > 1 << 20) {
      fail(name, 'an integer in 1…1048576', value);
    }
  }
  if (!Number.isInteger(nc) || nc < 1) fail('nc', 'an integer >= 1', nc);
  if (rows.length % (nc + 5) !== 0) fail('rows', `a multiple of ${nc + 5} values`, rows.length);
}

function select(
  rows: Float32Array,
  nc: number,
  options: NmsOptions & { maxCandidates: number; multiLabel: boolean },
): CandidateSelection {
  const no = nc + 5;
  const threshold = Math.fround(options.confThreshold);
  const selection = new CandidateSelection(threshold, options.maxCandidates);
  const wanted = options.classes === undefined ? undefined : new Set(options.classes);
  for (let row = 0, at = 0; at < rows.length; row++, at += no) {
    const objectness = rows[at + 4] ?? 0;
    if (!(objectness > threshold)) continue;
    if (options.multiLabel && nc > 1) {
      for (let c = 0; c < nc; c++) {
        if (wanted !== undefined && !wanted.has(c)) continue;
        selection.offer(Math.fround(objectness * (rows[at + 5 + c] ?? 0)), row, c);
      }
      continue;
    }
    let best = 0;
    let bestScore = -Infinity;
    for (let c = 0; c < nc; c++) {
      const score = Math.fround(objectness * (rows[at + 5 + c] ?? 0));
      if (score > bestScore) [best, bestScore] = [c, score];
    }
    if (wanted?.has(best) ?? true) selection.offer(bestScore, row, best);
  }
  selection.compact();
  return selection;
}

const cornersOf = (rows: Float32Array, at: number): Box => {
  const [cx = 0, cy = 0, w = 0, h = 0] = rows.subarray(at, at + 4);
  const f = Math.fround;
  return { x1: f(cx - w / 2), y1: f(cy - h / 2), x2: f(cx + w / 2), y2: f(cy + h / 2) };
};

/** A detection and the row that it was made of. */
export interface KeptRow extends Detection {
  readonly row: number;
}

/**
 * Turns decoded rows of ONE image into detections, in descending score order, at most `maxDetections`, each with the
 * index of its row.
 *
 * `rows` are float32 [N, 5 + nc] of (cx, cy, w, h, obj, cls…), all of them (`decodeHeads`) or the candidates only;
 * boxes come out in the same pixels. Scores are obj·cls in float32; equal scores keep row order, then class order.
 * Suppression is strict (`IoU > iouThreshold`), IoU in float32 without epsilon. Throws E_USAGE on a bad option.
 */
export function keptRows(rows: Float32Array, nc: number, options: NmsOptions): KeptRow[] {
  const full = {
    maxDetections: 300,
    multiLabel: false,
    maxCandidates: 30000,
    agnostic: false,
    ...options,
  };
  check(rows, nc, full);
  const selection = select(rows, nc, full);
  const kept: KeptRow[] = [];
  const keptByGroup = new Map<number, Box[]>();
  for (let i = 0; i < selection.count && kept.length < full.maxDetections; i++) {
    const classIndex = selection.classes[i] ?? 0;
    const row = selection.rows[i] ?? 0;
    const box = cornersOf(rows, row * (nc + 5));
    const group = full.agnostic ? -1 : classIndex;
    const rivals = keptByGroup.get(group) ?? [];
    if (rivals.some((rival) => overlap(rival, box) > full.iouThreshold)) continue;
    rivals.push(box);
    keptByGroup.set(group, rivals);
    kept.push({ ...box, score: selection.scores[i] ?? 0, classIndex, row });
  }
  return kept;
}

/** The detections of `keptRows`, without their rows. */
export const nonMaxSuppression = (rows: Float32Array, nc: number, options: NmsOptions): Detection[] =>
  keptRows(rows, nc, options).map(({ row: _row, ...detection }) => detection);
