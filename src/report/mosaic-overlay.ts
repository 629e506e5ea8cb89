/** What is drawn over the tiles of a mosaic: boxes, their texts, captions, the legend; as SVG elements. */
import type { Box } from '../metric/box.ts';
import type { BoxKind, DrawnBox } from './box-kind.ts';
import { placeLabels } from './label-placement.ts';
import { CAPTION_HEIGHT, LEGEND_HEIGHT, MARGIN, type TilePlace } from './mosaic-layout.ts';
import { fitStrokeText, strokeTextPath, strokeTextWidth } from './stroke-font.ts';

/** Heights of capitals, pixels. */
const BOX_TEXT = 7;
const LINE_TEXT = 9;
const PADDING = 2.5;
const LIGHT_INK = '#f2f4f6';

const strokedText = (text: string, x: number, y: number, capHeight: number, ink: string): string =>
  `<path d="${strokeTextPath(text, x, y, capHeight)}" fill="none" stroke="${ink}" stroke-width="${capHeight / 6 + 0.1}" stroke-linecap="round" stroke-linejoin="round"/>`;

const dashOf = ({ dash }: BoxKind): string =>
  dash === undefined ? '' : ` stroke-dasharray="${dash.join(' ')}"`;

/** A rectangle's outline: dark below, coloured above, so that it shows on any picture. */
function outline({ x1, y1, x2, y2 }: Box, kind: BoxKind): string {
  const place = `x="${x1.toFixed(1)}" y="${y1.toFixed(1)}" width="${(x2 - x1).toFixed(1)}" height="${(y2 - y1).toFixed(1)}" fill="none"`;
  return (
    `<rect ${place} stroke="#000" stroke-opacity="0.55" stroke-width="${kind.lineWidth + 1.5}"/>` +
    `<rect ${place} stroke="${kind.colour}" stroke-width="${kind.lineWidth}"${dashOf(kind)}/>`
  );
}

/** A small text on a ground of its kind's colour. */
function tag(text: string, place: Box, kind: BoxKind): string {
  const size = `width="${(place.x2 - place.x1).toFixed(1)}" height="${(place.y2 - place.y1).toFixed(1)}"`;
  return (
    `<rect x="${place.x1.toFixed(1)}" y="${place.y1.toFixed(1)}" ${size} fill="${kind.colour}" fill-opacity="0.9"/>` +
    strokedText(text, place.x1 + PADDING, place.y1 + PADDING + BOX_TEXT, BOX_TEXT, '#101214')
  );
}

/**
 * The boxes of one tile, clipped to it; kinds are drawn in the order of `kinds`, so later ones lie on top. In a crowd
 * a text that would cover others is left out; its box stays.
 */
export function tileOverlay(
  boxes: readonly DrawnBox[],
  place: TilePlace,
  kinds: readonly BoxKind[],
  index: number,
): string {
  const frame: Box = { x1: place.x, y1: place.y, x2: place.x + place.width, y2: place.y + place.height };
  const clampX = (x: number): number => Math.min(Math.max(place.x + x * place.scaleX, frame.x1), frame.x2);
  const clampY = (y: number): number => Math.min(Math.max(place.y + y * place.scaleY, frame.y1), frame.y2);
  const drawn = boxes
    .map((box) => ({
      kind: box.kind,
      text: fitStrokeText(box.text, BOX_TEXT, place.width - 2 * PADDING),
      box: { x1: clampX(box.x1), y1: clampY(box.y1), x2: clampX(box.x2), y2: clampY(box.y2) },
    }))
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const tagged = drawn.filter(({ text }) => text !== '');
  const places = placeLabels(
    tagged.map(({ box, text, kind }) => ({
      box,
      width: strokeTextWidth(text, BOX_TEXT) + 2 * PADDING,
      height: BOX_TEXT + 2 * PADDING + 2,
      preferred: Math.max(kinds.indexOf(kind), 0) % 4,
    })),
    frame,
  );
  const size = `x="${frame.x1}" y="${frame.y1}" width="${place.width}" height="${place.height}"`;
  return [
    `<clipPath id="tile${index}"><rect ${size}/></clipPath><g clip-path="url(#tile${index})">`,
    ...drawn.map(({ box, kind }) => outline(box, kind)),
    ...tagged.map(({ text, kind }, i) => {
      const at = places[i];
      return at === undefined ? '' : tag(text, at, kind);
    }),
    '</g>',
  ].join('');
}

/** A line of text below a tile. */
export const captionOverlay = (caption: string, place: TilePlace): string => {
  const text = fitStrokeText(caption, LINE_TEXT, place.width);
  return strokedText(text, place.x, place.y + place.height + CAPTION_HEIGHT - 6, LINE_TEXT, LIGHT_INK);
};

/** The strip at the top: each kind's line and name. */
export function legendOverlay(kinds: readonly BoxKind[]): string {
  let x = MARGIN + 2;
  const parts = kinds.map((kind) => {
    const middle = LEGEND_HEIGHT / 2;
    const box = outline({ x1: x, y1: middle - 6, x2: x + 24, y2: middle + 6 }, kind);
    const name = strokedText(kind.name, x + 32, middle + LINE_TEXT / 2, LINE_TEXT, LIGHT_INK);
    x += 32 + strokeTextWidth(kind.name, LINE_TEXT) + 24;
    return box + name;
  });
  return parts.join('');
}
