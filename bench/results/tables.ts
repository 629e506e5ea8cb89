/** What docs/results.md tabulates: which methods, trained how. */
import { CONTROLS, METHODS } from '../../src/method/registry.ts';

export interface ResultRow {
  /** Unique in its table; what `--only` names. */
  readonly name: string;
  readonly method: string;
  /** Options of the pipeline `method` beside those of the table. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** The rows that it is measured against; the better one counts. */
  readonly controls: readonly string[];
  /** What PyTorch reached by the same protocol: mAP50-95 of each seed. */
  readonly peer?: readonly number[];
}

export interface ResultTable {
  readonly name: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly rows: readonly ResultRow[];
}

/** 300 batches of 16, an update each: less than four minutes on two idle cores. */
const SHORT = {
  ...{ steps: 300, epochs: 25, batchSize: 16, nominalBatch: 16, views: 10 },
  ...{ optimizer: 'adam', lr0: 0.002, warmupIterations: 0 },
};

/** YOLOv5's own schedule: 1,300 batches of 16 in 100 epochs, SGD, an update for 64 images. */
const LONG = { steps: 1300, epochs: 100, batchSize: 16, nominalBatch: 64, views: 10 };

const FEW = { labelled: 20 };

export const TABLES: readonly ResultTable[] = [
  {
    name: 'methods',
    set: SHORT,
    rows: METHODS.map((method) => ({ name: method, method, controls: CONTROLS })),
  },
  {
    name: 'pytorch',
    set: LONG,
    rows: [
      { name: 'labels', method: 'labels', controls: CONTROLS, peer: [0.421] },
      { name: 'labels-scaled', method: 'labels-scaled', controls: CONTROLS, peer: [0.486, 0.489] },
      { name: 'l2', method: 'l2', controls: CONTROLS, peer: [0.478] },
      { name: 'soft', method: 'soft', controls: CONTROLS, peer: [0.503, 0.495] },
      { name: 'soft-unlabelled', method: 'soft-unlabelled', controls: CONTROLS, peer: [0.455] },
      ...[
        { name: 'labels-20', method: 'labels', peer: [0.374], set: FEW },
        { name: 'labels-scaled-20', method: 'labels-scaled', peer: [0.387], set: FEW },
        { name: 'soft-20', method: 'soft', peer: [0.473], set: { ...FEW, labelledShare: 0.5 } },
      ].map((row) => ({ ...row, controls: ['labels-20', 'labels-scaled-20'] })),
    ],
  },
];
