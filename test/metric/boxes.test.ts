import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { boxLabels, labelBoxes } from '../../src/metric/label-boxes.ts';
import { rectBatches } from '../../src/metric/rect-batches.ts';
import { scaleBoxes } from '../../src/metric/scale-boxes.ts';
import { boxOf, evalVectors, skipWithoutVectors, worstDifference } from './eval-vectors.ts';

describe('boxes in the original image', () => {
  const corners = (b: { x1: number; y1: number; x2: number; y2: number }) => [b.x1, b.y1, b.x2, b.y2];

  test('equal the vectors, with and without recorded pads', { skip: skipWithoutVectors }, () => {
    const { boxes, out, with_ratio_pad } = evalVectors().scale_boxes;
    const square = { width: 640, height: 640 };
    const found = scaleBoxes(boxes.map(boxOf), square, { width: 640, height: 480 });
    assert.ok(worstDifference(found.map(corners), out) < 1e-4);
    const pad = { gain: 1, padX: 16, padY: 10.5 };
    const rect = { width: 672, height: 448 };
    const padded = scaleBoxes(boxes.map(boxOf), rect, { width: 640, height: 427 }, pad);
    assert.ok(worstDifference(padded.map(corners), with_ratio_pad) < 1e-4);
  });

  test('keep what else a box carries', () => {
    const [box] = scaleBoxes(
      [{ x1: 0, y1: 0, x2: 9, y2: 9, tag: 'kept' }],
      { width: 9, height: 9 },
      { width: 3, height: 3 },
    );
    assert.deepEqual(box, { x1: 0, y1: 0, x2: 3, y2: 3, tag: 'kept' });
  });
});

describe('labels', () => {
  test('come back from pixels', () => {
    const unit = fc.double({ min: 0.1, max: 0.4, noNaN: true });
    fc.assert(
      fc.property(unit, unit, fc.integer({ min: 50, max: 2000 }), (centre, side, width) => {
        const label = { classIndex: 2, cx: centre + 0.2, cy: 0.5, w: side, h: side / 2 };
        const size = { width, height: 300 };
        const [back] = boxLabels(labelBoxes([label], size), size);
        assert.ok(back !== undefined);
        assert.equal(back.classIndex, 2);
        for (const key of ['cx', 'cy', 'w', 'h'] as const) {
          assert.ok(Math.abs(back[key] - label[key]) < 1e-5);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('are shifted by the pads, and clipped a little inside the picture', () => {
    const label = { classIndex: 0, cx: 0.5, cy: 0.5, w: 1, h: 1 };
    assert.deepEqual(labelBoxes([label], { width: 20, height: 10 }, 3, 4.5), [
      { classIndex: 0, x1: 3, y1: 4.5, x2: 23, y2: 14.5 },
    ]);
    const [clipped] = boxLabels([{ classIndex: 0, x1: -5, y1: 0, x2: 30, y2: 10 }], {
      width: 20,
      height: 10,
    });
    assert.ok(Math.abs((clipped?.w ?? NaN) - 19.999 / 20) < 1e-12);
  });
});

describe('rectangular batches', () => {
  const shapeOf = (...ratios: number[]): [number, number] => {
    const sizes = ratios.map((ratio) => ({ width: 1000, height: 1000 * ratio }));
    const [batch] = rectBatches(sizes, { batchSize: 8, imageSize: 640 });
    return [batch?.height ?? 0, batch?.width ?? 0];
  };

  test('have the documented shapes at 640 with half a stride of pad', () => {
    assert.deepEqual(shapeOf(0.75), [512, 672]);
    assert.deepEqual(shapeOf(0.5625), [384, 672]);
    assert.deepEqual(shapeOf(1), [672, 672]);
    assert.deepEqual(shapeOf(0.7, 1.4), [672, 672]);
    assert.deepEqual(shapeOf(0.667), [448, 672]);
    assert.deepEqual(shapeOf(4 / 3), [672, 512]);
  });

  test('without pad are as small as the stride allows', () => {
    const [batch] = rectBatches([{ width: 640, height: 480 }], { batchSize: 1, imageSize: 640, pad: 0 });
    assert.deepEqual(batch, { indices: [0], height: 480, width: 640 });
  });

  test('hold every image once, by ascending aspect ratio, equal ones in their order', () => {
    const side = fc.integer({ min: 1, max: 40 }).map((k) => k * 10);
    fc.assert(
      fc.property(
        fc.array(fc.record({ width: side, height: side }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        (sizes, batchSize) => {
          const batches = rectBatches(sizes, { batchSize, imageSize: 320 });
          const order = batches.flatMap(({ indices }) => indices);
          assert.deepEqual(
            order.toSorted((a, b) => a - b),
            sizes.map((_, i) => i),
          );
          const ratio = (i: number | undefined): number => {
            const size = sizes[i ?? -1];
            return size === undefined ? NaN : size.height / size.width;
          };
          order.slice(1).forEach((i, k) => {
            const before = order[k] ?? -1;
            assert.ok(ratio(before) < ratio(i) || (ratio(before) === ratio(i) && before < i));
          });
          for (const { indices, width, height } of batches) {
            assert.ok(indices.length >= 1 && indices.length <= batchSize);
            assert.ok(width % 32 === 0 && height % 32 === 0);
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test('of no images are none', () => {
    assert.deepEqual(rectBatches([], { batchSize: 8, imageSize: 640 }), []);
  });
});
