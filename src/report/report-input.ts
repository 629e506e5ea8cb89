/** What a run's report shows: plain data, given by the caller. Nothing here reads a clock, a file or a machine. */

import type { DotChart } from './dot-chart.ts';
import type { MatrixChart } from './matrix-chart.ts';

/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** (x, y) in drawing order. A y that is not finite (NaN, Infinity) leaves a gap. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Curve {
  readonly title: string;
  /** What runs along x, e.g. `epoch`. */
  readonly xLabel: string;
  readonly series: readonly Series[];
  /** Logarithmic y axis; values <= 0 then leave gaps. False by default. */
  readonly logY?: boolean;
}

/** Key-value pairs under a heading: versions, fingerprints, engine, options. */
export interface Section {
  readonly title: string;
  readonly entries: readonly (readonly [key: string, value: string | number])[];
}

/** A cell: text as it is, a number formatted with the others of its column, or null for "not there". */
export type Cell = string | number | null;

export interface ReportTable {
  /** Headings, with units (`ms an image`). The first column names the rows. */
  readonly columns: readonly string[];
  /** As many cells a row as there are columns. */
  readonly rows: readonly (readonly Cell[])[];
}

export interface ReportPicture {
  readonly caption: string;
  /** The whole picture as a `data:image/…` URI; nothing else is accepted. */
  readonly image: string;
  /** Its size in pixels. */
  readonly width: number;
  readonly height: number;
}

export interface ReportInput {
  readonly title: string;
  /** The command line that made the run. */
  readonly command: string;
  readonly sections: readonly Section[];
  readonly curves: readonly Curve[];
  /** What was measured, beside the curves of training: charts over recall and confidence, of labels. */
  readonly measured?: readonly Curve[];
  /** Values of several things side by side. */
  readonly dots?: readonly DotChart[];
  /** Confusion matrices. */
  readonly matrices?: readonly MatrixChart[];
  /** Teacher, distilled student, labels-only student; left out when there is nothing to compare. */
  readonly table?: ReportTable;
  readonly mosaics: readonly ReportPicture[];
  /** What a reader should know, a sentence or two each. */
  readonly notes: readonly string[];
}
