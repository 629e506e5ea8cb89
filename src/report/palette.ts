/** Colours of lines: told apart with any colour vision, at least 3:1 against the page in light and in dark. */

const LIGHT = ['#0072b2', '#c8550a', '#00805e', '#a03c8c', '#8a6d00', '#5a5f66'] as const;
const DARK = ['#5aa9e6', '#ff9248', '#35c79a', '#dd90cb', '#e3c04a', '#b9c0c8'] as const;
const DASHES = ['', '6 3', '2 3', '9 3 2 3'] as const;

/** `--series-0: …` declarations for a style sheet. */
export const seriesColours = (scheme: 'light' | 'dark'): string =>
  (scheme === 'light' ? LIGHT : DARK).map((colour, i) => `--series-${i}:${colour}`).join(';');

/** A CSS colour of line i that follows the page's scheme; outside a report it is the light one. */
export const seriesColour = (i: number): string => {
  const k = i % LIGHT.length;
  return `var(--series-${k},${LIGHT[k] ?? LIGHT[0]})`;
};

/** The dash pattern of line i: it changes where the colours begin again. '' is solid. */
export const seriesDash = (i: number): string => DASHES[Math.floor(i / LIGHT.length) % DASHES.length] ?? '';
