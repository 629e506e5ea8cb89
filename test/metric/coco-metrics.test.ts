import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { Annotation } from '../../src/data/sample.ts';
import type { Detection } from '../../src/metric/box.ts';
import { cocoMetrics, type CocoResult } from '../../src/metric/coco-metrics.ts';
import { pythonWith } from '../python.ts';
import { repositoryRoot } from '../reference.ts';
import { cocoCase, type CocoCase } from './coco-case.ts';

const figures = z.strictObject({
  stats: z.array(z.number()).length(12),
  AP: z.array(z.number()),
  AP50: z.array(z.number()),
});

const measured = ({ classes, images }: CocoCase): CocoResult => {
  const metrics = cocoMetrics(Array.from({ length: classes }, (_, c) => `class${c}`));
  // Backwards: the order of the calls does not matter.
  for (const [i, { detections, annotations }] of [...images.entries()].reverse()) {
    metrics.add(i, detections, annotations);
  }
  return metrics.result();
};

/** Sums are taken in another order than NumPy's: equal up to the rounding of float64. */
const TOLERANCE = 1e-12;

function assertFigures(found: CocoResult, expected: z.infer<typeof figures>): void {
  const { per_class: classes, ...numbers } = found;
  Object.entries(numbers).forEach(([name, value], i) => {
    const wanted = expected.stats[i] ?? NaN;
    assert.ok(Math.abs((value ?? -1) - wanted) < TOLERANCE, `${name}: ${value}, pycocotools ${wanted}`);
  });
  assert.deepEqual(
    classes.map((c) => c.class),
    expected.AP.flatMap((value, c) => (value >= 0 ? [c] : [])),
  );
  for (const { class: c, AP, AP50 } of classes) {
    assert.ok(Math.abs(AP - (expected.AP[c] ?? NaN)) < TOLERANCE, `AP of class ${c}`);
    assert.ok(Math.abs(AP50 - (expected.AP50[c] ?? NaN)) < TOLERANCE, `AP50 of class ${c}`);
  }
}

const found = pythonWith('pycocotools', ['pycocotools.cocoeval'], ['pycocotools']);
const skip = 'skip' in found ? found.skip : false;

const pycocotools = async (given: CocoCase): Promise<z.infer<typeof figures>> => {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-coco-'));
  try {
    const file = join(folder, 'case.json');
    await writeFile(file, JSON.stringify(given));
    const script = join(repositoryRoot, 'test', 'metric', 'check_coco.py');
    const python = 'python' in found ? found.python : '';
    return figures.parse(
      JSON.parse(execFileSync(python, [script, file], { encoding: 'utf8', stdio: 'pipe' })),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
};

describe('COCO metrics', () => {
  test('gives the figures that pycocotools 2.0.11 gave of a fixed case', () => {
    const file = join(repositoryRoot, 'fixtures', 'parity', 'coco.json');
    const { seed, images, classes, expected } = z
      .strictObject({ seed: z.int(), images: z.int(), classes: z.int(), expected: figures })
      .parse(JSON.parse(readFileSync(file, 'utf8')));
    assertFigures(measured(cocoCase(seed, images, classes)), expected);
  });

  for (const [seed, images, classes] of [
    [1, 60, 4],
    [2, 1, 1],
    [3, 200, 2],
    [4, 25, 30],
  ] as const) {
    test(`equals pycocotools on ${images} images of ${classes} classes`, { skip }, async () => {
      const given = cocoCase(seed, images, classes);
      assertFigures(measured(given), await pycocotools(given));
    });
  }

  const truth: Annotation = {
    classIndex: 0,
    left: 10,
    top: 10,
    width: 40,
    height: 20,
    area: 800,
    kind: 'object',
  };
  const hit: Detection = { classIndex: 0, x1: 10, y1: 10, x2: 50, y2: 30, score: 0.9 };

  test('a perfect detector has 1, where ranges are empty there is no figure', () => {
    const metrics = cocoMetrics(['thing', 'other']);
    metrics.add(0, [hit], [truth]);
    const { per_class: classes, ...numbers } = metrics.result();
    const rounded = Object.values(numbers).map((value) =>
      value === null ? null : Number(value.toFixed(12)),
    );
    assert.deepEqual(rounded, [1, 1, 1, 1, null, null, 1, 1, 1, 1, null, null]);
    assert.deepEqual(
      classes.map((c) => [c.class, c.name, c.instances]),
      [[0, 'thing', 1]],
    );
  });

  test('a difficult object is neither missed nor a false alarm', () => {
    const metrics = cocoMetrics(['thing']);
    const hard: Annotation = { ...truth, top: 100, kind: 'difficult' };
    metrics.add(
      0,
      [
        { ...hit, y1: 100, y2: 120 },
        { ...hit, score: 0.5 },
      ],
      [truth, hard],
    );
    metrics.add(1, [], [hard]);
    assert.equal(metrics.result().AP?.toFixed(12), '1.000000000000');
  });

  test('without annotations there is nothing to say', () => {
    const metrics = cocoMetrics(['thing']);
    metrics.add(0, [hit], []);
    assert.equal(metrics.result().AP, null);
    assert.deepEqual(metrics.result().per_class, []);
  });
});
