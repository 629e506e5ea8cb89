/** The windows of a convolution as the columns of a matrix, which makes its filter gradient one matrix product. */
import type { NumberArray } from './wasm-heap.ts';

export interface Columns {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly stride: number;
  /** Zero padding above and to the left, pixels. */
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Writes into `to` [filterHeight · filterWidth · channels, images · rows · columns] what each tap of the filter meets in
 * images `first` to `first + images` of x [B, height, width, channels], row-major; zeros in the padding.
 */
export function writeColumns(
  x: NumberArray,
  c: Columns,
  first: number,
  images: number,
  to: NumberArray,
): void {
  const { height, width, channels, filterWidth, stride } = c;
  const pixels = images * c.rows * c.columns;
  for (let n = 0; n < images; n++) {
    for (let row = 0; row < c.rows; row++) {
      const place = (n * c.rows + row) * c.columns;
      for (let ky = 0; ky < c.filterHeight; ky++) {
        const y = row * stride - c.top + ky;
        const line = ((first + n) * height + y) * width * channels;
        for (let kx = 0; kx < filterWidth; kx++) {
          const shift = kx - c.left;
          const begin = Math.min(c.columns, Math.max(0, Math.ceil(-shift / stride)));
          const inside = Math.floor((width - 1 - shift) / stride) + 1;
          const end = y < 0 || y >= height ? begin : Math.max(begin, Math.min(c.columns, inside));
          for (let i = 0; i < channels; i++) {
            const tap = ((ky * filterWidth + kx) * channels + i) * pixels + place;
            for (let q = 0; q < begin; q++) to[tap + q] = 0;
            let at = line + (begin * stride + shift) * channels + i;
            for (let q = begin; q < end; q++, at += stride * channels) to[tap + q] = x[at] ?? 0;
            for (let q = end; q < c.columns; q++) to[tap + q] = 0;
          }
        }
      }
    }
  }
}
