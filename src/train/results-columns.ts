/** The columns of `results.csv` and of TensorBoard: YOLOv5's names where YOLOv5 has them, then everything else. */

type Row = Readonly<Record<string, number>>;

/**
 * Published name and the names under which a run keeps the value. The learning rates are those of the groups of
 * YOLOv5 v7.0: biases, decayed weights, scales of batch norm.
 */
const COLUMNS: readonly (readonly [published: string, kept: string])[] = [
  ['epoch', 'epoch'],
  ['train/box_loss', 'train/hard/box'],
  ['train/obj_loss', 'train/hard/obj'],
  ['train/cls_loss', 'train/hard/cls'],
  ['metrics/precision', 'metrics/P'],
  ['metrics/recall', 'metrics/R'],
  ['metrics/mAP_0.5', 'metrics/mAP50'],
  ['metrics/mAP_0.5:0.95', 'metrics/mAP50_95'],
  ['val/box_loss', 'val/box'],
  ['val/obj_loss', 'val/obj'],
  ['val/cls_loss', 'val/cls'],
  ['x/lr0', 'lr_bias'],
  ['x/lr1', 'lr'],
  ['x/lr2', 'lr'],
];

const KEPT: ReadonlySet<string> = new Set(COLUMNS.map(([, kept]) => kept));

/** A row under its published names, in their order; what YOLOv5 has no name for follows as it is. */
export function publishedRow(row: Row): Row {
  const known = COLUMNS.flatMap(([published, kept]): [string, number][] => {
    const value = row[kept];
    return value === undefined ? [] : [[published, value]];
  });
  return Object.fromEntries([...known, ...Object.entries(row).filter(([name]) => !KEPT.has(name))]);
}

/** Columns of all rows: the known ones first, in their order, then others as they first appear. */
export function columnsOf(rows: readonly Row[]): readonly string[] {
  const present = new Set(rows.flatMap((row) => Object.keys(row)));
  const known = COLUMNS.map(([published]) => published).filter((name) => present.has(name));
  return [...new Set([...known, ...present])];
}
