/** The run's report: one HTML document that needs nothing beside it. */
import { SoftshardError } from '../errors.ts';
import { escapeMarkup } from './escape-markup.ts';
import { renderDotChart, type DotChart } from './dot-chart.ts';
import { renderLineChart } from './line-chart.ts';
import { renderMatrix, type MatrixChart } from './matrix-chart.ts';
import type { Curve, ReportInput, ReportPicture, Section } from './report-input.ts';
import { STYLE_SHEET } from './style-sheet.ts';
import { renderTable } from './table.ts';

// Even a mistake in this file could then load nothing.
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

const part = (title: string, content: string): string =>
  content === '' ? '' : `<section><h2>${escapeMarkup(title)}</h2>${content}</section>\n`;

const chart = (curve: Curve): string =>
  `<figure><h3>${escapeMarkup(curve.title)}</h3>${renderLineChart(curve)}</figure>\n`;

const matrix = (of: MatrixChart): string =>
  `<figure><h3>${escapeMarkup(of.title)}</h3>${renderMatrix(of)}</figure>\n`;

function picture({ caption, image, width, height }: ReportPicture): string {
  if (!/^data:image\/[a-z.+-]+;base64,[A-Za-z0-9+/=]+$/.test(image)) {
    throw new SoftshardError('E_INTERNAL', {
      message: 'A picture of the report is not embedded.',
      expected: 'a data:image/…;base64 URI',
      found: `${image.slice(0, 40)}…`,
      where: caption,
    });
  }
  const size = `width="${Math.round(width)}" height="${Math.round(height)}"`;
  const text = escapeMarkup(caption);
  return `<figure class="picture"><img src="${image}" alt="${text}" ${size}><figcaption>${text}</figcaption></figure>\n`;
}

const facts = ({ title, entries }: Section): string => {
  const rows = entries.map(
    ([key, value]) => `<dt>${escapeMarkup(key)}</dt><dd>${escapeMarkup(String(value))}</dd>`,
  );
  return `<div><h3>${escapeMarkup(title)}</h3><dl>${rows.join('')}</dl></div>\n`;
};

const dots = (of: DotChart): string =>
  `<figure><h3>${escapeMarkup(of.title)}</h3>${renderDotChart(of)}</figure>\n`;

const grid = (kind: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `<div class="${kind}">${items.join('')}</div>`;

/**
 * Renders a report as ONE self-contained HTML document: inline style, inline SVG charts, embedded pictures, no script,
 * no external resource. Equal input gives equal bytes. All text is escaped; parts without content are left out.
 *
 * Throws E_INTERNAL when a picture is not a `data:image/…;base64` URI.
 */
export function renderReport(input: ReportInput): string {
  const notes = input.notes.map((note) => `<li>${escapeMarkup(note)}</li>`).join('');
  const table = input.table === undefined ? '' : renderTable(input.table);
  return [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    `<title>${escapeMarkup(input.title)}</title>\n<style>${STYLE_SHEET}</style>\n</head>\n<body>\n<main>\n`,
    `<h1>${escapeMarkup(input.title)}</h1>\n`,
    part('Result', table + (input.dots ?? []).map(dots).join('') + (notes === '' ? '' : `<ul>${notes}</ul>`)),
    part('Curves', grid('charts', input.curves.map(chart))),
    part(
      'Measured',
      grid('charts', [...(input.matrices ?? []).map(matrix), ...(input.measured ?? []).map(chart)]),
    ),
    part('Pictures', input.mosaics.map(picture).join('')),
    part(
      'What was run',
      (input.command === '' ? '' : `<pre><code>${escapeMarkup(input.command)}</code></pre>`) +
        grid('facts', input.sections.map(facts)),
    ),
    '</main>\n</body>\n</html>\n',
  ].join('');
}
