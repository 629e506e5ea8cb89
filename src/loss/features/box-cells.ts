/** The cells of a feature map that labelled boxes cover. */
import * as tf from '@tensorflow/tfjs-core';

/** Label coordinates are float32: what lies this near to a cell's border, in cells, lies on it. */
const TOLERANCE = 1e-4;

export interface FeatureGrid {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/** Rows (image, class, cx, cy, w, h), normalised, [T,6]; `labelled[i]` is false where image i has no annotation. */
export interface LabelledBoxes {
  readonly labels: Float32Array;
  readonly labelled: readonly boolean[];
}

/** Foreground and background weights of a feature map's pixels, [B,H,W,1] each. */
export interface FocalMasks {
  readonly foreground: tf.Tensor4D;
  readonly background: tf.Tensor4D;
}

/** Calls `visit` with every cell that a box touches, its position in [B,H,W] and the cells of the whole box. */
function eachCell(
  { labels, labelled }: LabelledBoxes,
  { height, width }: FeatureGrid,
  visit: (position: number, cells: number) => void,
): void {
  for (let i = 0; i + 6 <= labels.length; i += 6) {
    const [image = -1, , cx = 0, cy = 0, w = 0, h = 0] = labels.subarray(i, i + 6);
    if (labelled[image] !== true) continue;
    const range = (centre: number, side: number, size: number): readonly [number, number] => [
      Math.floor((centre - side / 2) * size + TOLERANCE),
      Math.ceil((centre + side / 2) * size - TOLERANCE),
    ];
    const [left, right] = range(cx, w, width);
    const [top, bottom] = range(cy, h, height);
    const cells = (right + 1 - left) * (bottom + 1 - top);
    for (let y = Math.max(top, 0); y <= Math.min(bottom, height - 1); y++) {
      for (let x = Math.max(left, 0); x <= Math.min(right, width - 1); x++) {
        visit((image * height + y) * width + x, cells);
      }
    }
  }
}

const asMap = (data: Float32Array, { batch, height, width }: FeatureGrid): tf.Tensor4D =>
  tf.tensor4d(data, [batch, height, width, 1]);

/**
 * The masks of FGD (Yang et al. 2022): cells from the floor of a box's low border to the ceiling of its high one,
 * inclusive, weigh 1 / (cells of the box), the smallest box counting where several lie; all others weigh
 * 1 / (their number) as background. An image without annotation has neither. The caller disposes both.
 */
export function focalMasks(boxes: LabelledBoxes, grid: FeatureGrid): FocalMasks {
  const pixels = grid.height * grid.width;
  const foreground = new Float32Array(grid.batch * pixels);
  eachCell(boxes, grid, (position, cells) => {
    foreground[position] = Math.max(foreground[position] ?? 0, 1 / cells);
  });
  const background = new Float32Array(foreground.length);
  boxes.labelled.forEach((known, image) => {
    if (!known) return;
    const own = foreground.subarray(image * pixels, (image + 1) * pixels);
    const free = own.reduce((count, weight) => count + (weight === 0 ? 1 : 0), 0);
    own.forEach((weight, i) => {
      if (weight === 0) background[image * pixels + i] = 1 / free;
    });
  });
  return { foreground: asMap(foreground, grid), background: asMap(background, grid) };
}

/** 1 in the cells that a labelled box touches, else 0: [B,H,W,1]. The caller disposes the result. */
export function boxCells(boxes: LabelledBoxes, grid: FeatureGrid): tf.Tensor4D {
  const inside = new Float32Array(grid.batch * grid.height * grid.width);
  eachCell(boxes, grid, (position) => (inside[position] = 1));
  return asMap(inside, grid);
}
