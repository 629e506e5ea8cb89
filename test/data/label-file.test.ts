/** Label rows, polygons, duplicates and every malformed thing with its line. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { labelReason, parseLabelText, readLabelText } from '../../src/data/label-file.ts';
import { labelPath } from '../../src/data/label-path.ts';
import { isSoftshardError } from '../../src/errors.ts';

const f = Math.fround;

describe('parseLabelText', () => {
  test('reads rows in order, whatever the blanks and line ends', () => {
    const text = '\uFEFF3 0.5 .25 1 0.125\r\n\n  0\t0 1e-1 +0.75   0.0625 \n';
    assert.deepEqual(parseLabelText(text, 'a.txt'), [
      { classIndex: 3, cx: 0.5, cy: 0.25, w: 1, h: 0.125 },
      { classIndex: 0, cx: 0, cy: f(0.1), w: 0.75, h: 0.0625 },
    ]);
    assert.deepEqual(parseLabelText('', 'a.txt'), []);
    assert.deepEqual(parseLabelText(' \n\n', 'a.txt'), []);
  });

  test('values are float32, so that 1.00000001 is 1', () => {
    assert.deepEqual(parseLabelText('0 0.1 1.00000001 0.2 0.3', 'a.txt'), [
      { classIndex: 0, cx: f(0.1), cy: 1, w: f(0.2), h: f(0.3) },
    ]);
  });

  test('a class written as a float is read when it is whole', () => {
    assert.equal(parseLabelText('2.0 .5 .5 .5 .5', 'a.txt')[0]?.classIndex, 2);
  });

  test('one row with more than six columns makes all rows polygons', () => {
    const text = '1 0.25 0.5 0.75 0.5 0.5 1\n4 0.5 0.5 0.25 0.75';
    assert.deepEqual(parseLabelText(text, 'a.txt'), [
      { classIndex: 1, cx: 0.5, cy: 0.75, w: 0.5, h: 0.5 },
      { classIndex: 4, cx: 0.375, cy: 0.625, w: 0.25, h: 0.25 },
    ]);
  });

  test('equal rows count once, and then the rows are sorted', () => {
    const [a, b, c] = ['2 .5 .5 .25 .25', '10 .5 .5 .25 .25', '1 .75 .5 .25 .25'];
    const classes = (text: string): number[] => parseLabelText(text, 'a.txt').map((l) => l.classIndex);
    assert.deepEqual(classes([a, b, c].join('\n')), [2, 10, 1]);
    assert.deepEqual(classes([a, b, c, a, a].join('\n')), [1, 2, 10]);
  });

  const faults: readonly [name: string, text: string, line: number, found: string][] = [
    ['too few columns', '0 .5 .5 .5 .5\n0 .5 .5 .5', 2, '4 columns'],
    ['six columns', '0 .5 .5 .5 .5 .5', 1, '6 columns'],
    ['a negative coordinate', '\n\n0 .5 .5 -0.1 .5', 3, '-0.1'],
    ['a coordinate above 1', '0 1.2 .5 .5 .5', 1, '1.2'],
    ['a coordinate that is no number', '0 .5 nan .5 .5', 1, 'nan'],
    ['infinity', '0 .5 inf .5 .5', 1, 'inf'],
    ['hexadecimal', '0 .5 0x1 .5 .5', 1, '0x1'],
    ['a fractional class', '0.5 .5 .5 .5 .5', 1, '0.5'],
    ['a negative class', '-1 .5 .5 .5 .5', 1, '-1'],
    ['a class name', 'person .5 .5 .5 .5', 1, 'person'],
    ['a half pair in a polygon', '0 .1 .1 .2 .2 .3 .3\n0 .1 .1 .2 .2 .3', 2, '6 columns'],
    ['a polygon without points', '0 .1 .1 .2 .2 .3 .3\n7', 2, '1 columns'],
    ['a polygon point outside', '0 .1 .1 .2 .2 .3 1.5', 1, '1.5'],
    ['a class beyond the names', '0 .5 .5 .5 .5\n5 .5 .5 .5 .5', 2, '5'],
    ['binary rubbish', '\u0000\u0001\u0002', 1, '1 columns'],
  ];
  for (const [name, text, line, found] of faults) {
    test(`${name} is E_LABEL with file and line, or a reason`, () => {
      assert.throws(
        () => parseLabelText(text, '/data/labels/a.txt', { classes: 5 }),
        (error: unknown) =>
          isSoftshardError(error, 'E_LABEL') &&
          error.detail.where === `/data/labels/a.txt:${line}` &&
          error.detail.found === found &&
          error.detail.remedy !== undefined,
      );
      const result = readLabelText(text, { classes: 5 });
      assert.ok('problem' in result);
      assert.ok(labelReason(result.problem, 'a.txt').startsWith(`a.txt:${line}: `));
    });
  }

  test('never throws, and what it accepts is in range', () => {
    const word = fc.oneof(
      fc.double({ min: -0.2, max: 1.2, noNaN: true }).map(String),
      fc.integer({ min: -1, max: 9 }).map(String),
      fc.string(),
    );
    const text = fc.array(fc.array(word, { maxLength: 8 }).map((w) => w.join(' '))).map((l) => l.join('\n'));
    fc.assert(
      fc.property(text, (t) => {
        const result = readLabelText(t, { classes: 8 });
        if ('problem' in result) return;
        for (const { classIndex, cx, cy, w, h } of result.labels) {
          assert.ok(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < 8);
          for (const value of [cx, cy, w, h]) assert.ok(value >= 0 && value <= 1);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

test('labelPath replaces the last images folder and the extension', () => {
  assert.equal(labelPath('/a/images/x/images/1.jpg'), '/a/images/x/labels/1.txt');
  assert.equal(labelPath('/a/images/b.c/no-extension'), '/a/labels/b.c/no-extension.txt');
  assert.equal(labelPath('/a/images/1.tar.png'), '/a/labels/1.tar.txt');
  assert.equal(labelPath('/a/pictures/1.jpg'), '/a/pictures/1.txt');
  assert.equal(labelPath('/a/myimages/1.jpg'), '/a/myimages/1.txt');
});
