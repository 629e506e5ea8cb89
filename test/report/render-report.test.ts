import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { renderReport } from '../../src/report/render-report.ts';
import type { ReportInput } from '../../src/report/report-input.ts';
import { formatColumn, renderTable } from '../../src/report/table.ts';
import { markupFault } from './markup.ts';

const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

const input = (text: string): ReportInput => ({
  title: text,
  command: `softshard train --name ${text}`,
  sections: [{ title: text, entries: [[text, text]] }],
  curves: [
    {
      title: text,
      xLabel: text,
      series: [
        {
          name: text,
          points: [
            [0, 1],
            [1, NaN],
            [2, 3],
          ],
        },
      ],
      logY: true,
    },
  ],
  table: {
    columns: [text, 'mAP50'],
    rows: [
      [text, 0.5],
      ['b', null],
    ],
  },
  mosaics: [{ caption: text, image: PIXEL, width: 4, height: 2 }],
  notes: [text],
});

describe('the report', () => {
  test('is one well-formed document that refers to nothing outside', () => {
    const html = renderReport(input('plain'));
    assert.equal(markupFault(html), undefined);
    assert.ok(html.startsWith('<!DOCTYPE html>') && html.endsWith('</html>\n'));
    assert.doesNotMatch(html, /https?:\/\//);
    assert.doesNotMatch(html, /<script|<link|<iframe|url\(|@import|srcset|\bon[a-z]+=/);
    for (const [, source] of html.matchAll(/\b(?:src|href)="([^"]*)"/g)) {
      assert.match(source ?? '', /^data:image\//);
    }
    for (const part of ['Result', 'Curves', 'Pictures', 'What was run']) {
      assert.ok(html.includes(`<h2>${part}</h2>`));
    }
    assert.ok(html.includes('prefers-color-scheme:dark') && html.includes('@media print'));
  });

  test('escapes every text, whatever it is', () => {
    const hostile = '"><script>alert(1)</script>&\u0000\ud800\'';
    const html = renderReport(input(hostile));
    assert.equal(markupFault(html), undefined);
    assert.ok(!html.includes('<script'));
    assert.ok(html.includes('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\ufffd\ufffd&#39;'));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(markupFault(renderReport(input(text))), undefined);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('has equal bytes for equal input', () => {
    assert.equal(renderReport(input('x')), renderReport(input('x')));
  });

  test('leaves out what has no content', () => {
    const html = renderReport({ title: 't', command: '', sections: [], curves: [], mosaics: [], notes: [] });
    assert.doesNotMatch(html, /<h2>/);
    assert.equal(markupFault(html), undefined);
  });

  test('refuses a picture that is not embedded', () => {
    for (const image of ['picture.png', 'https://example.org/a.png', 'data:image/png;base64,"x']) {
      assert.throws(
        () => renderReport({ ...input('x'), mosaics: [{ caption: 'c', image, width: 1, height: 1 }] }),
        (error) => isSoftshardError(error, 'E_INTERNAL'),
      );
    }
  });
});

describe('a table', () => {
  test('writes the numbers of a column alike', () => {
    assert.deepEqual(formatColumn([1867405, 487213, null]), ['1,867,405', '487,213', '–']);
    assert.deepEqual(formatColumn([0.55923, 0.3, NaN]), ['0.559', '0.300', '–']);
    assert.deepEqual(formatColumn([31.24, 9.87]), ['31.2', '9.9']);
    assert.deepEqual(formatColumn([1234.5, 2]), ['1,235', '2']);
    assert.deepEqual(formatColumn([0, 0]), ['0', '0']);
    assert.deepEqual(formatColumn(['as it is', -1200]), ['as it is', '-1,200']);
  });

  test('fills short rows', () => {
    const html = renderTable({ columns: ['a', 'b'], rows: [['x']] });
    assert.match(html, /<th scope="row">x<\/th><td>–<\/td>/);
  });
});
