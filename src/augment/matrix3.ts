/** 3x3 matrices of plane maps, row by row, float64: (x, y, 1) goes to M (x, y, 1). */
import type { Matrix3 } from '../data/view.ts';

export const IDENTITY: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** a times b: first b, then a. */
export function multiply(a: Matrix3, b: Matrix3): Matrix3 {
  const [a0, a1, a2, a3, a4, a5, a6, a7, a8] = a;
  const [b0, b1, b2, b3, b4, b5, b6, b7, b8] = b;
  return [
    a0 * b0 + a1 * b3 + a2 * b6,
    a0 * b1 + a1 * b4 + a2 * b7,
    a0 * b2 + a1 * b5 + a2 * b8,
    a3 * b0 + a4 * b3 + a5 * b6,
    a3 * b1 + a4 * b4 + a5 * b7,
    a3 * b2 + a4 * b5 + a5 * b8,
    a6 * b0 + a7 * b3 + a8 * b6,
    a6 * b1 + a7 * b4 + a8 * b7,
    a6 * b2 + a7 * b5 + a8 * b8,
  ];
}

export const isIdentity = (m: Matrix3): boolean => m.every((value, i) => value === IDENTITY[i]);

/** Whether the last row is other than (0, 0, 1), so that straight division by it matters. */
export const isProjective = (m: Matrix3): boolean => m[6] !== 0 || m[7] !== 0 || m[8] !== 1;

/** The inverse of an affine matrix in the order of operations that OpenCV's warpAffine uses; zeros when singular. */
export function invertAffine(m: Matrix3): Matrix3 {
  const determinant = m[0] * m[4] - m[1] * m[3];
  const d = determinant === 0 ? 0 : 1 / determinant;
  const a = m[4] * d;
  const b = m[1] * -d;
  const c = m[3] * -d;
  const e = m[0] * d;
  return [a, b, -a * m[2] - b * m[5], c, e, -c * m[2] - e * m[5], 0, 0, 1];
}

/** The inverse by cofactors, as OpenCV inverts a 3x3 double matrix; zeros when singular. */
export function invertProjective(m: Matrix3): Matrix3 {
  const [a, b, c, d, e, f, g, h, i] = m;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const k = determinant === 0 ? 0 : 1 / determinant;
  return [
    (e * i - f * h) * k,
    (c * h - b * i) * k,
    (b * f - c * e) * k,
    (f * g - d * i) * k,
    (a * i - c * g) * k,
    (c * d - a * f) * k,
    (d * h - e * g) * k,
    (b * g - a * h) * k,
    (a * e - b * d) * k,
  ];
}
