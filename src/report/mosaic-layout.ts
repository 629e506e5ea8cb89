/** Where the tiles of a mosaic lie. */
import type { Size } from '../metric/box.ts';

/** A tile's image in the mosaic, pixels, and how much it is enlarged. */
export interface TilePlace extends Size {
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

export interface MosaicLayout extends Size {
  readonly tiles: readonly TilePlace[];
}

/** Room around and between tiles, pixels. */
export const MARGIN = 8;
/** Height of the legend's strip and of a caption's line, pixels. */
export const LEGEND_HEIGHT = 30;
export const CAPTION_HEIGHT = 20;
/** The legend needs it. */
const SMALLEST_WIDTH = 320;

/** Rows of `columns` tiles, each fit into a square of `tileSize`; a row is as high as its highest tile. */
export function mosaicLayout(sizes: readonly Size[], columns: number, tileSize: number): MosaicLayout {
  const used = Math.min(columns, sizes.length);
  const tiles: TilePlace[] = [];
  let y = LEGEND_HEIGHT;
  for (let start = 0; start < sizes.length; start += used) {
    const row = sizes.slice(start, start + used).map((size) => {
      const scale = tileSize / Math.max(size.width, size.height);
      const width = Math.max(1, Math.round(size.width * scale));
      const height = Math.max(1, Math.round(size.height * scale));
      return { width, height, scaleX: width / size.width, scaleY: height / size.height };
    });
    row.forEach((tile, i) => {
      const x = MARGIN + i * (tileSize + MARGIN) + Math.floor((tileSize - tile.width) / 2);
      tiles.push({ ...tile, x, y });
    });
    y += Math.max(...row.map(({ height }) => height)) + CAPTION_HEIGHT;
  }
  const width = Math.max(MARGIN + used * (tileSize + MARGIN), SMALLEST_WIDTH);
  return { tiles, width, height: y + MARGIN - 2 };
}
