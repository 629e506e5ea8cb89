/** YOLO label files: one object per line, boxes or polygons. */
import { SoftshardError } from '../errors.ts';
import { readBoxRow, readPolygonRow, type LabelProblem, type LabelRow } from './label-row.ts';
import type { BoxLabel } from './sample.ts';

export interface LabelOptions {
  /** Number of classes; an index at or above it is a problem of kind `class-range`. Unchecked by default. */
  readonly classes?: number;
}

export type LabelResult = { readonly labels: readonly BoxLabel[] } | { readonly problem: LabelProblem };

/** A row with more columns than this makes the file one of polygons (YOLOv5 v6.2 and later). */
const BOX_COLUMNS_MOST = 6;

const rowsOf = (text: string): LabelRow[] =>
  text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, i) => ({ line: i + 1, columns: line.split(/\s+/).filter((column) => column !== '') }))
    .filter(({ columns }) => columns.length > 0);

const byRow = (a: BoxLabel, b: BoxLabel): number =>
  a.classIndex - b.classIndex || a.cx - b.cx || a.cy - b.cy || a.w - b.w || a.h - b.h;

/** Without duplicates the order stays; with some, the survivors come out sorted by (class, cx, cy, w, h). */
export function withoutDuplicates(labels: readonly BoxLabel[]): readonly BoxLabel[] {
  const sorted = labels.toSorted(byRow);
  const unique = sorted.filter((label, i) => {
    const before = sorted[i - 1];
    return before === undefined || byRow(before, label) !== 0;
  });
  return unique.length === labels.length ? labels : unique;
}

/**
 * Reads the text of a label file: rows `class cx cy w h`, 0-based class, box normalised to 0...1 by the image size.
 * If any row has more than 6 columns, ALL rows are polygons `class x1 y1 x2 y2 ...` and become the boxes around them.
 * Blank lines are skipped, equal rows count once, an empty text has no objects. Never throws: the first fault, with
 * its line, comes back as `problem`.
 */
export function readLabelText(text: string, options: LabelOptions = {}): LabelResult {
  const rows = rowsOf(text);
  const polygons = rows.some(({ columns }) => columns.length > BOX_COLUMNS_MOST);
  const read = polygons ? readPolygonRow : readBoxRow;
  const labels: BoxLabel[] = [];
  for (const row of rows) {
    const label = read(row, options.classes);
    if ('message' in label) return { problem: label };
    labels.push(label);
  }
  return { labels: withoutDuplicates(labels) };
}

const lineOf = ({ line, position }: LabelProblem, file: string): string => {
  if (line !== undefined) return `${file}:${line}`;
  return position === undefined ? file : `${file}, ${position}`;
};

/** The E_LABEL error of `problem` in `file`. */
export const labelFailure = (problem: LabelProblem, file: string): SoftshardError =>
  new SoftshardError('E_LABEL', {
    message: problem.message,
    where: lineOf(problem, file),
    expected: problem.expected,
    found: problem.found,
    remedy:
      problem.kind === 'class-range'
        ? 'Name all classes in the data yaml, or correct the row.'
        : 'Correct the row, or leave its image out (--bad-images drop).',
  });

/** `problem` in one line, for the list of what was left out. */
export const labelReason = (problem: LabelProblem, file: string): string =>
  `${lineOf(problem, file)}: ${problem.message} Expected ${problem.expected}, found ${problem.found}.`;

/** As `readLabelText`, but throws the first fault as E_LABEL, naming `file` and line. */
export function parseLabelText(text: string, file: string, options: LabelOptions = {}): readonly BoxLabel[] {
  const result = readLabelText(text, options);
  if ('problem' in result) throw labelFailure(result.problem, file);
  return result.labels;
}
