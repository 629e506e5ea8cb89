/** The few SVG elements that charts are made of. Coordinates in the drawing's units. */
import { escapeMarkup } from './escape-markup.ts';
import { pathData } from './line-path.ts';

/** Size of all text in a chart. */
export const FONT = 12;

/** Escaped text with its baseline at y; `attributes` as they are. */
export const textElement = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeMarkup(content)}</text>`;

/** A straight line; `attributes` as they are. */
export const ruleElement = (x1: number, y1: number, x2: number, y2: number, attributes: string): string =>
  `<path d="${pathData([
    [x1, y1],
    [x2, y2],
  ])}" ${attributes}/>`;
