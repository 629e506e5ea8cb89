/** Draws the geometric warp of a view: perspective, rotation, zoom, shear, shift (YOLOv5 v7.0's distributions). */
import type { PixelSize } from '../data/rgb-image.ts';
import type { Matrix3 } from '../data/view.ts';
import { uniform, type DrawKey } from '../random/keyed.ts';
import type { Augmentation } from './augmentation.ts';
import { multiply } from './matrix3.ts';

export interface Warp {
  /** Canvas to output pixels. */
  readonly matrix: Matrix3;
  /** The zoom drawn, 1 - scale … 1 + scale. */
  readonly scale: number;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** -0 as 0, which JSON keeps. */
const withoutNegativeZero = (m: Matrix3): Matrix3 => [
  m[0] + 0,
  m[1] + 0,
  m[2] + 0,
  m[3] + 0,
  m[4] + 0,
  m[5] + 0,
  m[6] + 0,
  m[7] + 0,
  m[8] + 0,
];

/**
 * M = T S R P C from a canvas to an output of `size`: C centres the canvas on the origin, P adds the projective row
 * (px, py, 1), R rotates and zooms, S shears, T shifts to the drawn place. Draws by index: 0, 1 px, py ~ U(±perspective);
 * 2 angle ~ U(±degrees); 3 zoom ~ U(1 ± scale); 4, 5 shears ~ U(±shear) degrees; 6, 7 shifts ~ U(0.5 ± translate) of
 * the output's width and height. Only drawing calls trigonometry; the record keeps the matrix.
 */
export function drawWarp(key: DrawKey, canvas: PixelSize, size: PixelSize, augmentation: Augmentation): Warp {
  const { perspective, degrees, scale, shear, translate } = augmentation;
  const centre: Matrix3 = [1, 0, -canvas.width / 2, 0, 1, -canvas.height / 2, 0, 0, 1];
  const px = uniform(key, 0, -perspective, perspective);
  const py = uniform(key, 1, -perspective, perspective);
  const angle = radians(uniform(key, 2, -degrees, degrees));
  const zoom = uniform(key, 3, 1 - scale, 1 + scale);
  const [cos, sin] = [zoom * Math.cos(angle), zoom * Math.sin(angle)];
  const sx = Math.tan(radians(uniform(key, 4, -shear, shear)));
  const sy = Math.tan(radians(uniform(key, 5, -shear, shear)));
  const tx = uniform(key, 6, 0.5 - translate, 0.5 + translate) * size.width;
  const ty = uniform(key, 7, 0.5 - translate, 0.5 + translate) * size.height;
  const shift: Matrix3 = [1, 0, tx, 0, 1, ty, 0, 0, 1];
  const shearing: Matrix3 = [1, sx, 0, sy, 1, 0, 0, 0, 1];
  const rotation: Matrix3 = [cos, sin, 0, -sin, cos, 0, 0, 0, 1];
  const projection: Matrix3 = [1, 0, 0, 0, 1, 0, px, py, 1];
  const matrix = multiply(multiply(multiply(multiply(shift, shearing), rotation), projection), centre);
  return { matrix: withoutNegativeZero(matrix), scale: zoom };
}
