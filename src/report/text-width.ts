/** How wide text will be, roughly, in a sans-serif face that is not known: on the wide side. */

const NARROW = /[ijlI.,:;|!'()[\]\s]/;
const WIDE = /[mwMW@%]/;

/** Width in units of the font size. */
function unitWidth(character: string): number {
  if ((character.codePointAt(0) ?? 0) >= 0x1100) return 1.05;
  if (NARROW.test(character)) return 0.38;
  if (WIDE.test(character)) return 0.95;
  return /[A-Z]/.test(character) ? 0.72 : 0.61;
}

/** Estimated width of `text` at `fontSize`, in the font size's unit. */
export const textWidth = (text: string, fontSize: number): number =>
  Array.from(text).reduce((sum, character) => sum + unitWidth(character), 0) * fontSize;

/** `text`, shortened with an ellipsis until it is at most `width` wide. */
export function fitText(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && textWidth(`${characters.join('')}…`, fontSize) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
