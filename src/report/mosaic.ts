/** Test images side by side with the boxes of label, teacher and student, as one picture. */
import sharp from 'sharp';
import { SoftshardError } from '../errors.ts';
import { LABEL_BOX, STUDENT_BOX, TEACHER_BOX, type BoxKind, type DrawnBox } from './box-kind.ts';
import { mosaicLayout, type MosaicLayout, type TilePlace } from './mosaic-layout.ts';
import { captionOverlay, legendOverlay, tileOverlay } from './mosaic-overlay.ts';

/** One image: uint8 RGB [height, width, 3] in C order, and its boxes in its own pixels. */
export interface MosaicTile {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly DrawnBox[];
  /** A line below the image; '' by default. */
  readonly caption?: string;
}

export interface MosaicOptions {
  /** Tiles a row; by default as many as make the mosaic about as wide as high, at most 4. */
  readonly columns?: number;
  /** The square, in pixels, that each image is enlarged or reduced to fit; 384 by default. */
  readonly tileSize?: number;
  /** What the legend explains; label, teacher and student by default. */
  readonly kinds?: readonly BoxKind[];
  /** 'jpeg' by default. */
  readonly format?: 'jpeg' | 'png';
}

export interface Mosaic {
  readonly data: Buffer;
  readonly mediaType: 'image/jpeg' | 'image/png';
  /** Size, pixels. */
  readonly width: number;
  readonly height: number;
}

const BACKGROUND = { r: 24, g: 27, b: 31 };

function checkTiles(tiles: readonly MosaicTile[]): void {
  if (tiles.length === 0) {
    throw new SoftshardError('E_INTERNAL', { message: 'A mosaic needs at least one image.' });
  }
  tiles.forEach(({ pixels, width, height }, i) => {
    if (pixels.length !== width * height * 3 || pixels.length === 0) {
      throw new SoftshardError('E_INTERNAL', {
        message: 'An image of the mosaic has not the length that its size demands.',
        expected: `${width * height * 3} bytes (${width} x ${height} RGB)`,
        found: `${pixels.length} bytes`,
        where: `tile ${i}`,
      });
    }
  });
}

/** Raw RGB pixels of a tile at its size in the mosaic. */
const resized = async (tile: MosaicTile, place: TilePlace): Promise<Buffer> =>
  sharp(tile.pixels, { raw: { width: tile.width, height: tile.height, channels: 3 } })
    .resize(place.width, place.height, { fit: 'fill' })
    .raw()
    .toBuffer();

const overlayOf = (tiles: readonly MosaicTile[], layout: MosaicLayout, kinds: readonly BoxKind[]): string => {
  const drawn = tiles.map((tile, i) => {
    const place = layout.tiles[i];
    if (place === undefined) return '';
    return tileOverlay(tile.boxes, place, kinds, i) + captionOverlay(tile.caption ?? '', place);
  });
  const size = `width="${layout.width}" height="${layout.height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${legendOverlay(kinds)}${drawn.join('')}</svg>`;
};

/**
 * Composes `tiles` into one JPEG or PNG: a legend, then the images in rows, each with its boxes, their texts and a
 * caption. Text is drawn in strokes of our own, so no font is needed. Equal input gives equal bytes with one sharp.
 *
 * Throws E_INTERNAL without tiles or when a tile's pixels do not fit its size.
 */
export async function composeMosaic(
  tiles: readonly MosaicTile[],
  options: MosaicOptions = {},
): Promise<Mosaic> {
  checkTiles(tiles);
  const { tileSize = 384, kinds = [LABEL_BOX, TEACHER_BOX, STUDENT_BOX], format = 'jpeg' } = options;
  const columns = options.columns ?? Math.min(4, Math.ceil(Math.sqrt(tiles.length)));
  const layout = mosaicLayout(tiles, columns, tileSize);
  const layers = await Promise.all(
    tiles.map(async (tile, i) => {
      const place = layout.tiles[i];
      if (place === undefined) return [];
      const raw = { width: place.width, height: place.height, channels: 3 as const };
      return [{ input: await resized(tile, place), raw, left: place.x, top: place.y }];
    }),
  );
  const { width, height } = layout;
  const image = sharp({ create: { width, height, channels: 3, background: BACKGROUND } }).composite([
    ...layers.flat(),
    { input: Buffer.from(overlayOf(tiles, layout, kinds)), left: 0, top: 0 },
  ]);
  const encoded = format === 'png' ? image.png() : image.jpeg({ quality: 88, chromaSubsampling: '4:4:4' });
  return { data: await encoded.toBuffer(), mediaType: `image/${format}`, width, height };
}

/** The mosaic as a `data:` URI, as a report embeds it. */
export const mosaicDataUri = ({ data, mediaType }: Mosaic): string =>
  `data:${mediaType};base64,${data.toString('base64')}`;
