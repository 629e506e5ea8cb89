/**
 * What the heads of a foreign detector are: strides, anchors, columns. Anchors are computed from the decoded output beside
 * the logits, since w = (2 s(tw))^2 aw (YOLOv5 v7.0 convention), and the decoded output proves the rest: decoding the
 * logits must give it.
 */
import { SoftshardError } from '../errors.ts';
import { decodeHeads, sigmoid } from '../metric/box-decode.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { GraphTensor } from './graph-file.ts';

/** One level's logits of one image, [ny, nx, na * no]. */
export interface RawLevel {
  readonly tensor: string;
  readonly ny: number;
  readonly nx: number;
  readonly channels: number;
  readonly values: Float32Array;
}

export interface HeadOfGraphInput {
  /** By ascending stride. */
  readonly levels: readonly RawLevel[];
  /** Rows [rows, 5 + nc] of the same image; undefined where the graph gives none. */
  readonly decoded: GraphTensor | undefined;
  /** Side of the image, pixels. */
  readonly side: number;
  /** Class names, where they are known. */
  readonly names: readonly string[] | undefined;
  /** The head of a model description, where the user gave one. */
  readonly described: HeadSpec | undefined;
  /** Names the file in errors. */
  readonly where: string;
}

/** Largest differences from the decoded output: anchors are known to 1/256 pixel, graphs compute in float32. */
const PIXELS = 0.05;
const PROBABILITY = 1e-4;
/** Anchors are taken to this part of a pixel: those of checkpoints are multiples of it. */
const ANCHOR_STEP = 1 / 128;

const misfit = (message: string, where: string, expected: string, found: string): SoftshardError =>
  new SoftshardError('E_WEIGHTS_FORMAT', {
    ...{ message, where, expected, found },
    remedy: 'Name the tensors of the raw logits, one a level, with --heads NAME,NAME,NAME.',
  });

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Columns of a row: 5 + classes. */
function columnsOf({ decoded, described, names, levels, where }: HeadOfGraphInput): number {
  const columns = decoded?.shape[1] ?? described?.no ?? (names === undefined ? undefined : 5 + names.length);
  const found = levels.map(({ tensor, channels }) => `${tensor}: ${channels} channels`).join(', ');
  if (columns === undefined) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The number of classes of the teacher cannot be told.',
      where,
      found,
      expected: 'a decoded output, or class names in the metadata',
      remedy: 'Give the model yaml of the teacher with --cfg.',
    });
  }
  const [first] = levels;
  const fits = levels.every(({ channels }) => channels === first?.channels && channels % columns === 0);
  if (columns > 5 && fits) return columns;
  throw misfit(
    'The heads of the teacher have no rows of box, objectness and classes.',
    where,
    `multiples of ${columns}`,
    found,
  );
}

/** Decoded rows with boxes in pixels, also where the graph divides them by the side. */
function rowsInPixels({ shape, values }: GraphTensor, side: number): Float32Array {
  const columns = shape[1] ?? 0;
  const isBox = (i: number): boolean => i % columns < 4;
  // Centres of cells reach the far edge: in pixels they exceed any share of the side.
  const isShare = values.every((value, i) => !isBox(i) || i % columns > 1 || value < 2);
  return isShare ? values.map((value, i) => (isBox(i) ? value * side : value)) : values;
}

/** Anchors of every level, pixels, each the median over the cells of the image. */
function anchorsFrom(rows: Float32Array, levels: readonly RawLevel[], columns: number): [number, number][][] {
  let row = 0;
  return levels.map(({ ny, nx, channels, values }) =>
    Array.from({ length: channels / columns }, (_, anchor) => {
      const sizes = [2, 3].map((column) =>
        Array.from({ length: ny * nx }, (_unused, cell) => {
          const logit = values[cell * channels + anchor * columns + column] ?? 0;
          return (rows[(row + cell) * columns + column] ?? 0) / (2 * sigmoid(logit)) ** 2;
        }),
      );
      row += ny * nx;
      const [w = 0, h = 0] = sizes.map((each) => Math.round(median(each) / ANCHOR_STEP) * ANCHOR_STEP);
      return [w, h];
    }),
  );
}

/** Throws E_WEIGHTS_FORMAT when decoding the logits does not give the decoded output. */
function prove(rows: Float32Array, { levels, where }: HeadOfGraphInput, head: HeadSpec): void {
  const expected = decodeHeads(
    levels.map(({ ny, nx, values }) => ({ ny, nx, data: values })),
    head,
  );
  let [pixels, probability] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const apart = Math.abs((rows[i] ?? NaN) - (expected[i] ?? NaN));
    if (i % head.no < 4) pixels = Math.max(pixels, apart);
    else probability = Math.max(probability, apart);
  }
  if (pixels <= PIXELS && probability <= PROBABILITY && rows.length === expected.length) return;
  throw misfit(
    'The decoded output of the teacher is not what its raw heads decode to as YOLOv5 decodes them.',
    `${where}: ${levels.map(({ tensor }) => tensor).join(', ')}`,
    `at most ${PIXELS} pixels and ${PROBABILITY} of probability apart`,
    `${pixels} pixels, ${probability} of probability`,
  );
}

/** Throws E_WEIGHTS_FORMAT when the tensors are no heads, or what they mean cannot be told. */
export function headOfGraph(input: HeadOfGraphInput): HeadSpec {
  const { levels, decoded, side, described, where } = input;
  const no = columnsOf(input);
  const na = (levels[0]?.channels ?? 0) / no;
  const strides = levels.map(({ ny }) => side / ny);
  const cells = levels.reduce((sum, { ny, nx }) => sum + ny * nx * na, 0);
  const isGrid = levels.every(({ ny, nx }) => ny === nx) && strides.every(Number.isInteger);
  if (!isGrid || new Set(strides).size < strides.length) {
    const found = levels.map(({ ny, nx }) => `${ny} x ${nx}`).join(', ');
    throw misfit('The heads of the teacher are no grids over the image.', where, `parts of ${side}`, found);
  }
  if (decoded !== undefined && decoded.shape[0] !== cells) {
    throw misfit(
      'The decoded output of the teacher has not a row for each anchor of its heads.',
      where,
      `${cells} rows`,
      `${decoded.shape[0] ?? 0}`,
    );
  }
  const rows = decoded && rowsInPixels(decoded, side);
  const anchors = described?.anchors ?? (rows && anchorsFrom(rows, levels, no));
  if (anchors === undefined) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The anchors of the teacher cannot be told: its graph has no decoded output.',
      where,
      remedy: 'Give the model yaml of the teacher with --cfg, such as --cfg yolov5s.yaml.',
    });
  }
  const nc = no - 5;
  const names = input.names?.length === nc ? input.names : Array.from({ length: nc }, (_, i) => String(i));
  const head: HeadSpec = { nc, na, no, strides, anchors, names };
  if (described !== undefined && (described.na !== na || described.strides.join() !== strides.join())) {
    throw misfit(
      'The teacher has other heads than its model description.',
      where,
      `${described.na} anchors, strides ${described.strides.join(', ')}`,
      `${na} anchors, strides ${strides.join(', ')}`,
    );
  }
  if (rows !== undefined) prove(rows, input, head);
  return head;
}
