/**
 * A small stroke font of our own, so that pictures carry the same text on machines with and without fonts.
 *
 * A glyph is its strokes, separated by `|`; a stroke is a list of points `xy` on a grid of 5 columns and 9 rows: row 0
 * is the height of capitals, row 2 that of small letters, row 6 the baseline, row 8 the lowest descender.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '06 20 46|14 34',
  B: '03 33 42 41 30 00 06 36 45 44 33',
  C: '41 30 10 01 05 16 36 45',
  D: '00 06 26 44 42 20 00',
  E: '40 00 06 46|03 33',
  F: '40 00 06|03 33',
  G: '41 30 10 01 05 16 36 45 43 23',
  H: '00 06|40 46|03 43',
  I: '00 20|10 16|06 26',
  J: '30 35 26 16 05',
  K: '00 06|40 03 46',
  L: '00 06 46',
  M: '06 00 23 40 46',
  N: '06 00 46 40',
  O: '10 30 41 45 36 16 05 01 10',
  P: '06 00 30 41 42 33 03',
  Q: '10 30 41 45 36 16 05 01 10|24 47',
  R: '06 00 30 41 42 33 03|23 46',
  S: '41 30 10 01 02 13 33 44 45 36 16 05',
  T: '00 40|20 26',
  U: '00 05 16 36 45 40',
  V: '00 26 40',
  W: '00 16 22 36 40',
  X: '00 46|40 06',
  Y: '00 23 40|23 26',
  Z: '00 40 06 46',
  a: '33 22 12 03 05 16 26 35|32 36',
  b: '00 06|03 12 22 33 35 26 16 05',
  c: '33 22 12 03 05 16 26 35',
  d: '30 36|33 22 12 03 05 16 26 35',
  e: '04 34 33 22 12 03 05 16 26 35',
  f: '20 11 16|02 22',
  g: '33 22 12 03 05 16 26 35|32 37 28 18 07',
  h: '00 06|03 12 22 33 36',
  i: '02 06|00 00',
  j: '12 17 08|10 10',
  k: '00 06|32 04 36',
  l: '00 05 16',
  m: '02 06|03 12 23 26|23 32 43 46',
  n: '02 06|03 12 22 33 36',
  o: '12 22 33 35 26 16 05 03 12',
  p: '02 08|03 12 22 33 35 26 16 05',
  q: '32 38|33 22 12 03 05 16 26 35',
  r: '02 06|04 13 22',
  s: '33 22 12 03 14 24 35 26 16 05',
  t: '10 15 26|02 22',
  u: '02 05 16 26 35|32 36',
  v: '02 16 22',
  w: '02 16 23 36 42',
  x: '02 36|32 06',
  y: '02 16|32 08',
  z: '02 32 06 36',
  '0': '10 20 31 35 26 16 05 01 10',
  '1': '01 10 16|06 26',
  '2': '01 10 20 31 32 06 36',
  '3': '01 10 20 31 32 23 13|23 34 35 26 16 05',
  '4': '36 30 04 44',
  '5': '30 00 02 22 33 35 26 16 05',
  '6': '31 20 10 01 05 16 26 35 34 23 13 04',
  '7': '00 30 16',
  '8': '13 02 01 10 20 31 32 23 13 04 05 16 26 35 34 23',
  '9': '05 16 26 35 31 20 10 01 02 13 23 32',
  '.': '06 06',
  ',': '16 07',
  ':': '03 03|06 06',
  ';': '13 13|16 07',
  '!': '00 04|06 06',
  '?': '01 10 20 31 32 14|16 16',
  "'": '00 01',
  '"': '00 01|20 21',
  '`': '00 11',
  '-': '04 34',
  '+': '04 44|22 26',
  '=': '03 43|05 45',
  _: '07 47',
  '/': '06 30',
  '\\': '00 36',
  '|': '00 07',
  '(': '10 02 05 17',
  ')': '00 12 15 07',
  '[': '10 00 07 17',
  ']': '00 10 17 07',
  '{': '20 11 12 03 14 16 27',
  '}': '00 11 12 23 14 16 07',
  '<': '32 04 36',
  '>': '02 34 06',
  '*': '21 25|02 44|42 04',
  '#': '10 16|30 36|02 42|04 44',
  '%': '00 10 11 01 00|35 45 46 36 35|40 06',
  '&': '46 12 11 20 31 32 04 05 16 26 44',
  '@': '34 24 23 33 34 44 42 30 10 02 05 16 36',
  $: '42 31 11 02 13 33 44 35 15 04|20 26',
  '^': '02 20 42',
  '~': '04 13 34 43',
};

/** What stands for a character without a glyph: a hollow box. */
const MISSING = '00 30 36 06 00';
const SPACE_WIDTH = 2;
/** Room between glyphs, in grid columns. */
const SPACING = 1.4;

const pointsOf = (stroke: string): [number, number][] =>
  stroke.split(' ').map((pair) => [Number(pair[0]), Number(pair[1])]);

/** Letters with marks lose them; an ellipsis becomes three dots. */
const plain = (text: string): string[] =>
  Array.from(text.normalize('NFKD').replace(/\p{Mark}/gu, ''), (character) =>
    /\s/u.test(character) ? ' ' : character,
  );

interface Glyph {
  readonly strokes: readonly (readonly [number, number])[][];
  readonly width: number;
}

function glyphOf(character: string): Glyph {
  if (character === ' ') return { strokes: [], width: SPACE_WIDTH };
  const strokes = (GLYPHS[character] ?? MISSING).split('|').map(pointsOf);
  return { strokes, width: Math.max(...strokes.flat().map(([x]) => x)) };
}

/** Width of `text` in pixels at a height of capitals of `capHeight` pixels. */
export function strokeTextWidth(text: string, capHeight: number): number {
  const glyphs = plain(text).map(glyphOf);
  const columns =
    glyphs.reduce((sum, { width }) => sum + width, 0) + SPACING * Math.max(glyphs.length - 1, 0);
  return (columns * capHeight) / 6;
}

/**
 * SVG path data of `text`, to be stroked with round caps: its left end at x, its baseline at y, capitals `capHeight`
 * pixels high. Descenders reach a third of that below the baseline.
 */
export function strokeTextPath(text: string, x: number, y: number, capHeight: number): string {
  const unit = capHeight / 6;
  const at = (column: number, row: number): string =>
    `${(x + column * unit).toFixed(2)} ${(y + (row - 6) * unit).toFixed(2)}`;
  let left = 0;
  let path = '';
  for (const { strokes, width } of plain(text).map(glyphOf)) {
    for (const stroke of strokes) {
      const [first, ...rest] = stroke;
      if (first === undefined) continue;
      path += `M${at(left + first[0], first[1])}`;
      // A dot is a stroke of hardly any length: its round caps draw it.
      for (const [px, py] of rest) path += `L${at(left + px + (rest.length === 1 ? 0.02 : 0), py)}`;
    }
    left += width + SPACING;
  }
  return path;
}

/** `text`, shortened with dots until it is at most `width` pixels wide. */
export function fitStrokeText(text: string, capHeight: number, width: number): string {
  if (strokeTextWidth(text, capHeight) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 0 && strokeTextWidth(`${characters.join('')}...`, capHeight) > width) {
    characters.pop();
  }
  return `${characters.join('').trimEnd()}...`;
}
