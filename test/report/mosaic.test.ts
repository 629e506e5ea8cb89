import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { isSoftshardError } from '../../src/errors.ts';
import {
  annotationBoxes,
  detectionBoxes,
  STUDENT_BOX,
  TEACHER_BOX,
  type DrawnBox,
} from '../../src/report/box-kind.ts';
import { placeLabels } from '../../src/report/label-placement.ts';
import { composeMosaic, mosaicDataUri, type MosaicTile } from '../../src/report/mosaic.ts';
import { mosaicLayout } from '../../src/report/mosaic-layout.ts';
import { fitStrokeText, strokeTextPath, strokeTextWidth } from '../../src/report/stroke-font.ts';

const grey = (width: number, height: number, boxes: readonly DrawnBox[] = []): MosaicTile => ({
  pixels: new Uint8Array(width * height * 3).fill(128),
  width,
  height,
  boxes,
});

const corners = { x1: 20, y1: 20, x2: 80, y2: 60 };

describe('a mosaic', () => {
  test('has the size and the format that it says', async () => {
    const tiles = [grey(64, 64), grey(64, 32), grey(32, 64)];
    for (const format of ['jpeg', 'png'] as const) {
      const mosaic = await composeMosaic(tiles, { columns: 2, tileSize: 200, format });
      const found = await sharp(mosaic.data).metadata();
      assert.deepEqual([found.width, found.height, found.format], [mosaic.width, mosaic.height, format]);
      assert.equal(mosaic.width, 8 + 2 * 208);
      assert.equal(mosaic.height, 30 + 2 * (200 + 20) + 6);
      assert.ok(mosaicDataUri(mosaic).startsWith(`data:image/${format};base64,`));
    }
  });

  test('shows the image and the three boxes in their colours', async () => {
    const names = ['cat'];
    const detection = { ...corners, score: 0.876, classIndex: 0 };
    const moved = (by: number) => ({ ...detection, x1: 20 + by, x2: 80 + by, y1: 20 + by, y2: 60 + by });
    const tile = grey(200, 200, [
      ...annotationBoxes([{ ...corners, classIndex: 0 }], names),
      ...detectionBoxes([moved(50)], names, TEACHER_BOX),
      ...detectionBoxes([moved(100)], names, STUDENT_BOX),
    ]);
    const mosaic = await composeMosaic([tile], { tileSize: 200, format: 'png' });
    const { data, info } = await sharp(mosaic.data).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number): string =>
      data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3).toString('hex');
    // The tile begins at (8, 30).
    assert.equal(at(8 + 5, 30 + 190), '808080');
    const along = (y: number): Set<string> =>
      new Set(Array.from({ length: 200 }, (_, x) => at(8 + x, 30 + y)));
    assert.ok(along(20).has('ffffff'));
    assert.ok(along(70).has('42b0ff'));
    assert.ok(along(120).has('ffb000'));
    assert.ok(!along(70).has('ffb000'));
  });

  test('has equal bytes for equal input', async () => {
    const tile = grey(50, 40, annotationBoxes([{ ...corners, classIndex: 3 }], []));
    const [a, b] = [await composeMosaic([tile]), await composeMosaic([tile])];
    assert.deepEqual(a.data, b.data);
  });

  test('survives hostile text and boxes outside the image', async () => {
    const boxes = annotationBoxes(
      [{ x1: -50, y1: -9, x2: 900, y2: 500, classIndex: 0 }],
      ['<&"\u0000\ud800日本'],
    );
    const mosaic = await composeMosaic([{ ...grey(40, 40, boxes), caption: '</svg>]]>' }]);
    assert.ok(mosaic.data.length > 0);
  });

  test('refuses no tiles and pixels of a wrong length', async () => {
    const wrong = { ...grey(4, 4), pixels: new Uint8Array(5) };
    for (const tiles of [[], [wrong]]) {
      await assert.rejects(composeMosaic(tiles), (error) => isSoftshardError(error, 'E_INTERNAL'));
    }
  });
});

describe('the layout', () => {
  test('keeps tiles apart, inside and in proportion', () => {
    const side = fc.integer({ min: 1, max: 900 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ width: side, height: side }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (sizes, columns) => {
          const { tiles, width, height } = mosaicLayout(sizes, columns, 200);
          tiles.forEach((tile, i) => {
            assert.ok(tile.x >= 0 && tile.y >= 0);
            assert.ok(tile.x + tile.width <= width && tile.y + tile.height <= height);
            assert.equal(Math.max(tile.width, tile.height), 200);
            for (const other of tiles.slice(i + 1)) {
              const besides = tile.x + tile.width <= other.x || other.x + other.width <= tile.x;
              const below = tile.y + tile.height <= other.y || other.y + other.height <= tile.y;
              assert.ok(besides || below);
            }
          });
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });
});

describe('texts of boxes', () => {
  test('lie inside the tile and hardly cover each other', () => {
    const frame = { x1: 0, y1: 0, x2: 300, y2: 200 };
    const wish = fc
      .tuple(fc.nat(250), fc.nat(150), fc.integer({ min: 2, max: 50 }), fc.nat(3))
      .map(([x, y, side, preferred]) => {
        return { box: { x1: x, y1: y, x2: x + side, y2: y + side }, width: 60, height: 14, preferred };
      });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 20 }), (wishes) => {
        const places = placeLabels(wishes, frame);
        assert.equal(places.length, wishes.length);
        if (wishes.length > 0) assert.ok(places[0] !== undefined);
        for (const place of places.filter((p) => p !== undefined)) {
          assert.ok(place.x1 >= 0 && place.y1 >= 0 && place.x2 <= 300 && place.y2 <= 200);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('the stroke font', () => {
  test('has a glyph of its own for every printable ASCII character', () => {
    const paths = Array.from({ length: 94 }, (_, i) => strokeTextPath(String.fromCharCode(33 + i), 0, 6, 6));
    assert.ok(paths.every((path) => path.startsWith('M')));
    assert.equal(new Set(paths).size, 94);
    assert.ok(!paths.includes(strokeTextPath('日', 0, 6, 6)));
  });

  test('leaves marks off letters', () => {
    assert.equal(strokeTextPath('é', 0, 0, 6), strokeTextPath('e', 0, 0, 6));
  });

  test('draws inside the width that it tells', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        const path = strokeTextPath(text, 10, 20, 7);
        const xs = [...path.matchAll(/[ML]([\d.-]+) /g)].map(([, x]) => Number(x));
        for (const x of xs) assert.ok(x >= 10 && x <= 10 + strokeTextWidth(text, 7) + 0.05);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('shortens to a width', () => {
    const fitted = fitStrokeText('a long class name', 7, 60);
    assert.ok(fitted.endsWith('...') && strokeTextWidth(fitted, 7) <= 60);
    assert.equal(fitStrokeText('cat', 7, 60), 'cat');
  });
});
