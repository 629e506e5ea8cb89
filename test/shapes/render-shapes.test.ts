import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readDataset } from '../../src/data/read-dataset.ts';
import { renderShapes } from '../../src/shapes/render-shapes.ts';
import { corners, SHAPE_CLASSES, visibleBox, type Shape } from '../../src/shapes/shape.ts';

const folder = mkdtempSync(join(tmpdir(), 'softshard-shapes-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const options = { labelled: 6, unlabelled: 4, test: 3, side: 96, seed: 5 };

const inside = (shape: Shape, x: number, y: number): boolean => {
  const [cx, cy] = shape.centre;
  if (shape.kind === 'circle') return Math.hypot(x - cx, y - cy) <= shape.radius;
  const points = corners(shape);
  return points.every(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length] ?? [0, 0];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0;
  });
};

describe('visibleBox', () => {
  test('bounds what a dense grid finds inside the picture', () => {
    const shape = fc.record({
      kind: fc.constantFrom(...SHAPE_CLASSES),
      centre: fc.tuple(
        fc.double({ min: 4, max: 92, noNaN: true }),
        fc.double({ min: 4, max: 92, noNaN: true }),
      ),
      radius: fc.double({ min: 6, max: 21, noNaN: true }),
      angle: fc.double({ min: 0, max: 6.28, noNaN: true }),
      colour: fc.constant([0, 0, 0] as const),
    });
    fc.assert(
      fc.property(shape, (drawn) => {
        const [x1, y1, x2, y2] = visibleBox(drawn, 96);
        const found = [96, 96, 0, 0];
        for (let y = 0; y <= 96; y += 0.25)
          for (let x = 0; x <= 96; x += 0.25)
            if (inside(drawn, x, y)) {
              found[0] = Math.min(found[0] ?? 0, x);
              found[1] = Math.min(found[1] ?? 0, y);
              found[2] = Math.max(found[2] ?? 0, x);
              found[3] = Math.max(found[3] ?? 0, y);
            }
        // The grid lies inside the box; a sharp corner may fall between its points, up to about a pixel.
        const gaps = [x1, y1, x2, y2].map((edge, i) => (i < 2 ? 1 : -1) * ((found[i] ?? 0) - edge));
        assert.ok(
          gaps.every((gap) => gap >= -1e-9 && gap < 1.25),
          String(gaps),
        );
      }),
      { seed: 1, numRuns: 40 },
    );
  });
});

describe('renderShapes', () => {
  test('writes a data set that reads, the same bytes each time', async () => {
    const a = await renderShapes({ ...options, folder: join(folder, 'a') });
    const b = await renderShapes({ ...options, folder: join(folder, 'b') });
    assert.deepEqual([a.found, a.images, a.digest], [false, 13, b.digest]);
    const train = await readDataset({ data: a.data, split: 'train', badImages: 'error' });
    assert.equal(train.samples.filter(({ labels }) => labels !== undefined).length, 6);
    assert.equal(train.samples.filter(({ labels }) => labels === undefined).length, 4);
    const other = await renderShapes({ ...options, seed: 6, folder: join(folder, 'c') });
    assert.notEqual(other.digest, a.digest);
  });

  test('finds what is there, and renders again what was touched', async () => {
    const where = { ...options, folder: join(folder, 'a') };
    const first = await renderShapes(where);
    assert.equal(first.found, true);
    const label = join(folder, 'a', 'labels', 'train', '00000.txt');
    const text = readFileSync(label, 'utf8');
    writeFileSync(label, '0 0.5 0.5 0.1 0.1\n');
    const again = await renderShapes(where);
    assert.deepEqual([again.found, again.digest], [false, first.digest]);
    assert.equal(readFileSync(label, 'utf8'), text);
  });
});
