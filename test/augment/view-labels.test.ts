import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keepsBox, viewLabels } from '../../src/augment/view-labels.ts';
import { placeInMosaic, placeLetterboxed } from '../../src/augment/place-image.ts';
import type { BoxLabel } from '../../src/data/sample.ts';
import type { Composition, Matrix3, ViewLabel, ViewRecord } from '../../src/data/view.ts';

const label = (cx: number, cy: number, w: number, h: number, classIndex = 0): BoxLabel => ({
  classIndex,
  cx,
  cy,
  w,
  h,
});

const letterbox = (
  width: number,
  height: number,
  size: number,
  matrix?: Matrix3,
  warpScale = 1,
): ViewRecord => ({
  sample: 0,
  view: 0,
  width: size,
  height: size,
  composition: {
    kind: 'letterbox',
    canvasWidth: size,
    canvasHeight: size,
    images: [placeLetterboxed({ sample: 0, width, height }, size)],
    ...(matrix === undefined ? {} : { matrix }),
    warpScale,
  },
  flipVertical: false,
  flipHorizontal: false,
});

function assertClose(found: readonly ViewLabel[] | undefined, expected: readonly BoxLabel[]): void {
  assert.equal(found?.length, expected.length);
  for (const [i, e] of expected.entries()) {
    const f: ViewLabel | undefined = found[i];
    assert.ok(f !== undefined);
    assert.equal(f.classIndex, e.classIndex);
    for (const k of ['cx', 'cy', 'w', 'h'] as const) {
      assert.ok(Math.abs(f[k] - e[k]) < 1e-12, `${k}: ${f[k]} is not ${e[k]}`);
    }
  }
}

describe('labels of a letterbox', () => {
  test('are scaled and shifted by half pixels', () => {
    // 640 x 427 into 640: ratio 1, 213 rows to spare, so boxes move by 106.5 pixels.
    const view = letterbox(640, 427, 640);
    assert.deepEqual(view.composition.images[0]?.canvas, [0, 106, 640, 533]);
    const found = viewLabels(view, () => [label(0.5, 0.25, 0.5, 0.5, 3)]);
    const y1 = 106.5;
    const y2 = 427 * 0.5 + 106.5;
    assertClose(found, [label(0.5, (y1 + y2) / 2 / 640, 0.5, (y2 - y1) / 640, 3)]);
  });

  test('are clipped 1e-3 pixels inside the far edges', () => {
    const found = viewLabels(letterbox(64, 64, 64), () => [label(0.5, 0.5, 1, 1)]);
    const side = (64 - 1e-3) / 64;
    assertClose(found, [label(side / 2, side / 2, side, side)]);
  });

  test('flips mirror the centres', () => {
    const view = { ...letterbox(64, 64, 64), flipVertical: true, flipHorizontal: true };
    const found = viewLabels(view, () => [label(0.25, 0.375, 0.25, 0.5)]);
    assertClose(found, [label(0.75, 0.625, 0.25, 0.5)]);
  });

  test('unlabelled stays unknown, labelled without objects stays empty', () => {
    assert.equal(
      viewLabels(letterbox(64, 64, 64), () => undefined),
      undefined,
    );
    assert.deepEqual(
      viewLabels(letterbox(64, 64, 64), () => []),
      [],
    );
  });
});

describe('labels under a warp', () => {
  test('take the upright box of the turned corners', () => {
    // A quarter turn about the centre (32, 32): (x, y) goes to (y, 64 - x).
    const found = viewLabels(letterbox(64, 64, 64, [0, 1, 0, -1, 0, 64, 0, 0, 1]), () => [
      label(0.25, 0.5, 0.25, 0.5),
    ]);
    assertClose(found, [label(0.5, 0.75, 0.5, 0.25)]);
  });

  test('divide by the third coordinate under perspective', () => {
    const found = viewLabels(letterbox(64, 64, 64, [1, 0, 0, 0, 1, 0, 0.01, 0, 1]), () => [
      label(0.5, 0.5, 0.5, 0.5),
    ]);
    const x1 = 16 / 1.16;
    const x2 = 48 / 1.48;
    const y1 = 16 / 1.48;
    const y2 = 48 / 1.16;
    assertClose(found, [label((x1 + x2) / 128, (y1 + y2) / 128, (x2 - x1) / 64, (y2 - y1) / 64)]);
  });

  test('boxes that leave the picture are dropped, the others clipped', () => {
    const found = viewLabels(letterbox(100, 100, 100, [1, 0, -50, 0, 1, 0, 0, 0, 1]), () => [
      label(0.2, 0.5, 0.2, 0.2, 1), // 10…30, gone
      label(0.5, 0.5, 0.2, 0.2, 2), // 40…60 to 0…10: half is left
      label(0.455, 0.5, 0.1, 0.2, 3), // 40.5…50.5 to 0…0.5: 5 % left, and too thin
    ]);
    assertClose(found, [label(0.05, 0.5, 0.1, 0.2, 2)]);
  });
});

describe('the box filter', () => {
  const box = (w: number, h: number): Parameters<typeof keepsBox>[0] => ({
    classIndex: 0,
    x1: 0,
    y1: 0,
    x2: w,
    y2: h,
  });
  test('wants more than two pixels, a tenth of the area, an aspect below 100', () => {
    assert.equal(keepsBox(box(2, 10), box(2, 10), 1), false);
    assert.equal(keepsBox(box(2.01, 10), box(2.01, 10), 1), true);
    assert.equal(keepsBox(box(100, 100), box(10, 100), 1), false);
    assert.equal(keepsBox(box(100, 100), box(10.01, 100), 1), true);
    assert.equal(keepsBox(box(300, 3), box(300, 3), 1), false);
    assert.equal(keepsBox(box(299, 3), box(299, 3), 1), true);
  });
  test('compares with the area after zoom', () => {
    assert.equal(keepsBox(box(100, 100), box(30, 30), 1), false);
    assert.equal(keepsBox(box(100, 100), box(30, 30), 0.5), true);
  });
});

describe('labels of a mosaic', () => {
  // Four 64 x 32 images around (70, 50) on a canvas of 128, cropped to its middle 64.
  const members = [0, 1, 2, 3].map((sample) =>
    placeInMosaic({ sample, width: 64, height: 32 }, sample, [70, 50], 64),
  );
  const composition: Composition = {
    kind: 'mosaic4',
    canvasWidth: 128,
    canvasHeight: 128,
    images: members,
    matrix: [1, 0, -32, 0, 1, -32, 0, 0, 1],
    warpScale: 1,
  };
  const view: ViewRecord = { ...letterbox(64, 64, 64), composition };

  test('the four meet in the centre', () => {
    assert.deepEqual(
      members.map(({ canvas, source }) => [canvas, source]),
      [
        [
          [6, 18, 70, 50],
          [0, 0],
        ],
        [
          [70, 18, 128, 50],
          [0, 0],
        ],
        [
          [6, 50, 70, 82],
          [0, 0],
        ],
        [
          [70, 50, 128, 82],
          [0, 0],
        ],
      ],
    );
    const cut = placeInMosaic({ sample: 0, width: 64, height: 64 }, 0, [40, 50], 64);
    assert.deepEqual(
      [cut.canvas, cut.source, cut.boxShift],
      [
        [0, 0, 40, 50],
        [24, 14],
        [-24, -14],
      ],
    );
  });

  test('boxes follow their images', () => {
    const found = viewLabels(view, (sample) => [label(0.5, 0.5, 0.25, 0.5, sample)]);
    // Image 0: centre (6 + 32, 18 + 16) - 32 = (6, 2), 16 x 16, cut to 0…14 x 0…10.
    // Image 1: centre (70 + 32 - 32, 2) = (70, 2): 62…78, cut to 62…64, which is not more than 2 wide.
    // Image 2: centre (6, 50 + 16 - 32 = 34), cut to 0…14. Image 3: as 1.
    assertClose(found, [
      label(7 / 64, 5 / 64, 14 / 64, 10 / 64, 0),
      label(7 / 64, 34 / 64, 14 / 64, 16 / 64, 2),
    ]);
  });

  test('one unlabelled member makes the view unlabelled', () => {
    assert.equal(
      viewLabels(view, (sample) => (sample === 3 ? undefined : [])),
      undefined,
    );
    const mixed: ViewRecord = { ...letterbox(64, 64, 64), mixup: { lambda: 0.5, composition } };
    assert.equal(
      viewLabels(mixed, (sample) => (sample === 3 ? undefined : [])),
      undefined,
    );
  });

  test('mixup puts both sets one after the other', () => {
    const mixed: ViewRecord = {
      ...letterbox(64, 64, 64),
      mixup: { lambda: 0.5, composition: letterbox(64, 64, 64).composition },
    };
    assert.equal(viewLabels(mixed, () => [label(0.5, 0.5, 0.5, 0.5)])?.length, 2);
  });
});
