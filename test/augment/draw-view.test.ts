import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { augmentationSchema, LETTERBOX_ONLY, type Augmentation } from '../../src/augment/augmentation.ts';
import { drawView, VIEW_PURPOSES } from '../../src/augment/draw-view.ts';
import { augmentationOf, readHyp } from '../../src/augment/hyp.ts';
import type { ViewRecord } from '../../src/data/view.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { purposeConstant } from '../../src/random/purpose.ts';
import { repositoryRoot } from '../reference.ts';

const SIZES = Array.from({ length: 50 }, (_, i) => ({ width: 200 + 13 * i, height: 500 - 7 * i }));
const DRAWS = 10_000;

/** Many views' worth of one drawn number. */
const drawn = (augmentation: Augmentation, of: (record: ViewRecord) => number, count = DRAWS): number[] =>
  Array.from({ length: count }, (_, i) =>
    of(drawView({ sample: i % 50, view: Math.floor(i / 50) }, SIZES, 64, augmentation, 7)),
  );

/** Holds values to U(low, high) by mean, variance and the largest distance of the distributions (p about 1e-4). */
function assertUniform(values: readonly number[], low: number, high: number): void {
  const n = values.length;
  const sorted = values.map((v) => (v - low) / (high - low)).toSorted((a, b) => a - b);
  const distance = sorted.reduce((d, u, i) => Math.max(d, u - i / n, (i + 1) / n - u), 0);
  assert.ok(distance < 2.23 / Math.sqrt(n), `distance ${distance}`);
  const mean = sorted.reduce((a, b) => a + b, 0) / n;
  const variance = sorted.reduce((s, u) => s + (u - mean) ** 2, 0) / n;
  assert.ok(Math.abs(mean - 0.5) < 4 / Math.sqrt(12 * n), `mean ${mean}`);
  assert.ok(Math.abs(variance * 12 - 1) < 0.04, `variance ${variance}`);
}

/** Holds a count of events to its probability: 4 standard deviations. */
const assertShare = (events: readonly number[], p: number): void => {
  const share = events.reduce((a, b) => a + b, 0) / events.length;
  assert.ok(Math.abs(share - p) < 4 * Math.sqrt((p * (1 - p)) / events.length), `${share} is not ${p}`);
};

const only = (settings: Partial<Augmentation>): Augmentation => ({ ...LETTERBOX_ONLY, ...settings });
const m = (record: ViewRecord, i: number): number => record.composition.matrix?.[i] ?? Number.NaN;

describe('a view without augmentation', () => {
  test('is the letterbox of the vectors', () => {
    const text = readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'letterbox.json'), 'utf8');
    const cases = z
      .array(
        z.object({
          hw: z.tuple([z.number(), z.number()]),
          new_shape: z.union([z.number(), z.tuple([z.number(), z.number()])]),
          auto: z.boolean(),
          scaleup: z.boolean(),
          dw_dh: z.tuple([z.number(), z.number()]),
          top_left_bottom_right_pad: z.array(z.number()),
          unpad_wh: z.tuple([z.number(), z.number()]),
        }),
      )
      .parse(JSON.parse(text))
      // Only those whose longer side is the square's already: the others are resized twice in training.
      .filter((c) => !c.auto && c.new_shape === Math.max(...c.hw));
    assert.ok(cases.length >= 1);
    for (const { hw, dw_dh, top_left_bottom_right_pad: pad, unpad_wh } of cases) {
      const record = drawView(
        { sample: 0, view: 0 },
        [{ width: hw[1], height: hw[0] }],
        Math.max(...hw),
        LETTERBOX_ONLY,
        0,
      );
      const [image] = record.composition.images;
      const [top = 0, left = 0] = pad;
      assert.deepEqual(image?.canvas, [left, top, left + unpad_wh[0], top + unpad_wh[1]]);
      assert.deepEqual(image.boxShift, dw_dh);
    }
  });

  test('records nothing but the letterbox', () => {
    const record = drawView({ sample: 1, view: 3 }, SIZES, 320, LETTERBOX_ONLY, 99);
    assert.deepEqual(record, {
      sample: 1,
      view: 3,
      width: 320,
      height: 320,
      composition: {
        kind: 'letterbox',
        canvasWidth: 320,
        canvasHeight: 320,
        images: [
          {
            sample: 1,
            w: 138,
            h: 320,
            canvas: [91, 0, 229, 320],
            source: [0, 0],
            boxScale: [138, 320],
            boxShift: [91, 0],
          },
        ],
        warpScale: 1,
      },
      flipVertical: false,
      flipHorizontal: false,
    });
  });

  test('a load-time resize one pixel short is followed by the letterbox resize', () => {
    // Cutting 320 / 213 * 213 = 319.99… to whole pixels can lose a pixel, which the letterbox makes good.
    const short = Array.from({ length: 2000 }, (_, i) => i + 10).find(
      (side) => Math.trunc(side * (320 / side)) === 319,
    );
    assert.ok(short !== undefined);
    const record = drawView(
      { sample: 0, view: 0 },
      [{ width: short, height: short }],
      320,
      LETTERBOX_ONLY,
      0,
    );
    const [image] = record.composition.images;
    assert.deepEqual([image?.w, image?.h, image?.fit], [319, 319, [320, 320]]);
    assert.deepEqual(image?.boxScale.map(Math.round), [320, 320]);
  });
});

describe('distributions over 10,000 draws', () => {
  const mosaic = only({ mosaic: 1 });

  test('mosaic centres are uniform over half a side to one and a half', () => {
    // Centres are cut to whole pixels; adding half of the step lost keeps the mean.
    const centre = (axis: 0 | 1) => (r: ViewRecord) => (r.composition.images[0]?.canvas[2 + axis] ?? 0) - 32;
    for (const axis of [0, 1] as const) {
      const values = drawn(mosaic, centre(axis));
      const counts = new Array<number>(64).fill(0);
      for (const v of values) counts[v] = (counts[v] ?? 0) + 1;
      assert.equal(counts.length, 64);
      const chi = counts.reduce((s, c) => s + (c - DRAWS / 64) ** 2 / (DRAWS / 64), 0);
      assert.ok(chi < 63 + 5 * 11.3, String(chi));
    }
  });

  test('the sample is in each of the four places equally often, partners are uniform', () => {
    const partners = new Array<number>(50).fill(0);
    const places = new Array<number>(4).fill(0);
    for (let i = 0; i < DRAWS; i++) {
      const sample = i % 50;
      const { images } = drawView({ sample, view: i }, SIZES, 64, mosaic, 7).composition;
      const place = images.findIndex((image) => image.sample === sample);
      places[place] = (places[place] ?? 0) + 1;
      for (const image of images) partners[image.sample] = (partners[image.sample] ?? 0) + 1;
    }
    // Finding the first of equals favours place 0 by the chance that a partner is the sample itself.
    for (const count of places) assert.ok(Math.abs(count / DRAWS - 0.25) < 0.04, String(count));
    for (const count of partners) assert.ok(Math.abs(count / DRAWS / 4 - 0.02) < 0.003, String(count));
  });

  test('zoom', () => {
    assertUniform(
      drawn(only({ scale: 0.5 }), (r) => r.composition.warpScale),
      0.5,
      1.5,
    );
    assertUniform(
      drawn(only({ scale: 0.9 }), (r) => m(r, 0)),
      0.1,
      1.9,
    );
  });

  test('rotation', () => {
    const angle = (r: ViewRecord): number => (Math.atan2(m(r, 1), m(r, 0)) * 180) / Math.PI;
    assertUniform(drawn(only({ degrees: 30 }), angle), -30, 30);
  });

  test('shear', () => {
    const shear = (i: number) => (r: ViewRecord) => (Math.atan(m(r, i)) * 180) / Math.PI;
    assertUniform(drawn(only({ shear: 10 }), shear(1)), -10, 10);
    assertUniform(drawn(only({ shear: 10 }), shear(3)), -10, 10);
  });

  test('shift, of a letterbox and of a mosaic', () => {
    assertUniform(
      drawn(only({ translate: 0.1 }), (r) => m(r, 2)),
      -6.4,
      6.4,
    );
    // A mosaic's canvas is 128 wide: its middle (64) goes to 32 ± 6.4.
    assertUniform(
      drawn(only({ mosaic: 1, translate: 0.1 }), (r) => m(r, 5)),
      -38.4,
      -25.6,
    );
  });

  test('perspective', () => {
    assertUniform(
      drawn(only({ perspective: 0.001 }), (r) => m(r, 6)),
      -0.001,
      0.001,
    );
    assertUniform(
      drawn(only({ perspective: 0.001 }), (r) => m(r, 7)),
      -0.001,
      0.001,
    );
  });

  test('colour gains', () => {
    const colour = only({ hsv_h: 0.015, hsv_s: 0.7, hsv_v: 0.4 });
    assertUniform(
      drawn(colour, (r) => r.hsv?.[0] ?? 0),
      0.985,
      1.015,
    );
    assertUniform(
      drawn(colour, (r) => r.hsv?.[1] ?? 0),
      0.3,
      1.7,
    );
    assertUniform(
      drawn(colour, (r) => r.hsv?.[2] ?? 0),
      0.6,
      1.4,
    );
  });

  test('probabilities of flips, mosaic and mixup', () => {
    const all = only({ fliplr: 0.5, flipud: 0.1, mosaic: 0.7, mixup: 0.2 });
    assertShare(
      drawn(all, (r) => Number(r.flipHorizontal)),
      0.5,
    );
    assertShare(
      drawn(all, (r) => Number(r.flipVertical)),
      0.1,
    );
    assertShare(
      drawn(all, (r) => Number(r.composition.kind === 'mosaic4')),
      0.7,
    );
    assertShare(
      drawn(all, (r) => Number(r.mixup !== undefined)),
      0.14,
    );
    assertShare(
      drawn(all, (r) => Number(r.flipHorizontal && r.flipVertical)),
      0.05,
    );
  });

  test('mixup weights are Beta(32, 32)', () => {
    const values = drawn(only({ mosaic: 1, mixup: 1 }), (r) => r.mixup?.lambda ?? 0, 2000);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean - 0.5) < 4 / Math.sqrt(260 * values.length));
    assert.ok(Math.abs(variance * 260 - 1) < 4 * Math.sqrt(2 / values.length));
  });
});

describe('a mosaic of nine', () => {
  const nine = only({ mosaic: 1, mosaic9: 1 });
  const side = 128;
  const cell = 43;
  const views = Array.from({ length: DRAWS }, (_, i) =>
    drawView({ sample: i % 50, view: i }, SIZES, side / 2, nine, 7),
  );

  test('has the drawn share of all mosaics, in the first place and mixed in', () => {
    const some = only({ mosaic: 0.8, mosaic9: 0.3, mixup: 1 });
    assertShare(
      drawn(some, (r) => Number(r.composition.kind === 'mosaic9')),
      0.24,
    );
    assertShare(
      drawn(some, (r) => Number(r.mixup?.composition.kind === 'mosaic9')),
      0.24,
    );
    assert.equal('mosaic9' in augmentationSchema.parse({}), false);
    assert.equal(augmentationSchema.parse({ mosaic9: 0 }).mosaic9, undefined);
  });

  test('lies in three rows and columns, the middle whole, none over another', () => {
    for (const { composition } of views.slice(0, 500)) {
      const { images } = composition;
      assert.equal(images.length, 9);
      assert.ok(images.every(({ w, h }) => Math.max(w, h) <= cell && Math.max(w, h) >= cell - 1));
      const [, , , , middle] = images;
      assert.ok(middle !== undefined);
      const { canvas: c, w, h } = middle;
      assert.deepEqual([c[2] - c[0], c[3] - c[1]], [w, h]);
      for (const [i, { canvas: a }] of images.entries()) {
        assert.ok(a[0] >= 0 && a[1] >= 0 && a[2] <= side && a[3] <= side && a[0] < a[2] && a[1] < a[3]);
        for (const { canvas: b } of images.slice(i + 1))
          assert.ok(a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1], 'two images overlap');
      }
      // Left and right neighbours meet the middle cell.
      const [left, right] = [images[3], images[5]];
      assert.equal((right?.canvas[0] ?? 0) - (left?.canvas[2] ?? 0), cell);
    }
  });

  test('begins its middle cell anywhere it stays whole; the sample is in each place equally often', () => {
    const places = new Array<number>(9).fill(0);
    for (const { sample, composition } of views) {
      const place = composition.images.findIndex((image) => image.sample === sample);
      places[place] = (places[place] ?? 0) + 1;
    }
    for (const count of places) assert.ok(Math.abs(count / DRAWS - 1 / 9) < 0.03, String(count));
    for (const axis of [2, 3] as const) {
      const begins = views.map(({ composition }) => composition.images[0]?.canvas[axis] ?? 0);
      assert.deepEqual([Math.min(...begins), Math.max(...begins)], [22, 62]);
      const counts = begins.reduce<Map<number, number>>((m, v) => m.set(v, (m.get(v) ?? 0) + 1), new Map());
      assert.equal(counts.size, 41);
      const chi = [...counts.values()].reduce((s, c) => s + (c - DRAWS / 41) ** 2 / (DRAWS / 41), 0);
      assert.ok(chi < 40 + 5 * 9, String(chi));
    }
  });
});

describe('drawing', () => {
  test('is a pure function of its key; every part of the key matters', async () => {
    const low = augmentationOf(await readHyp('scratch-low'));
    const base = drawView({ sample: 3, view: 1 }, SIZES, 64, low, 5);
    assert.deepEqual(drawView({ sample: 3, view: 1 }, SIZES, 64, low, 5), base);
    for (const other of [
      drawView({ sample: 4, view: 1 }, SIZES, 64, low, 5),
      drawView({ sample: 3, view: 2 }, SIZES, 64, low, 5),
      drawView({ sample: 3, view: 1 }, SIZES, 64, low, 6),
    ]) {
      assert.notDeepEqual(other.composition.matrix, base.composition.matrix);
      assert.notDeepEqual(other.hsv, base.hsv);
    }
  });

  test('turning one augmentation off leaves the other draws as they were', async () => {
    const low = augmentationOf(await readHyp('scratch-low'));
    const base = drawView({ sample: 3, view: 1 }, SIZES, 64, low, 5);
    const plain = drawView({ sample: 3, view: 1 }, SIZES, 64, { ...low, mosaic: 0 }, 5);
    assert.equal(plain.composition.kind, 'letterbox');
    assert.deepEqual(plain.hsv, base.hsv);
    assert.equal(plain.composition.warpScale, base.composition.warpScale);
  });

  test('purposes have constants of their own', () => {
    assert.equal(new Set(VIEW_PURPOSES.map(purposeConstant)).size, VIEW_PURPOSES.length);
  });

  test('refuses copy-paste, odd sizes and unknown samples', () => {
    const draw = (sample: number, size: number, augmentation: Augmentation) => () =>
      drawView({ sample, view: 0 }, SIZES, size, augmentation, 0);
    assert.throws(draw(0, 64, only({ copy_paste: 0.1 })), (e) => isSoftshardError(e, 'E_HYP'));
    assert.throws(draw(0, 65, LETTERBOX_ONLY), (e) => isSoftshardError(e, 'E_USAGE'));
    assert.throws(draw(50, 64, LETTERBOX_ONLY), (e) => isSoftshardError(e, 'E_INTERNAL'));
  });
});
