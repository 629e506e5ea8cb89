import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';
import { drawKey, uniform } from '../../src/random/keyed.ts';
import { purposeConstant } from '../../src/random/purpose.ts';
import {
  anchorFit,
  anchorFitness,
  BOX_SIZE_PURPOSE,
  boxSizes,
  closeness,
  type BoxSize,
} from '../../src/train/anchor-fit.ts';
import { ANCHOR_PURPOSES, searchAnchors } from '../../src/train/anchor-search.ts';
import { autoAnchor, type AutoAnchorOptions } from '../../src/train/auto-anchor.ts';

const near = (found: number, expected: number): void => {
  assert.ok(Math.abs(found - expected) < 1e-12, `${found} ${expected}`);
};

/** Boxes of six sizes, none of which an anchor of yolov5n matches at 64 pixels. */
const samples = Array.from({ length: 60 }, (_, i) => ({
  width: 640,
  height: 320,
  labels: [{ classIndex: 0, cx: 0.5, cy: 0.5, w: [0.01, 0.02, 0.03, 0.9, 0.5, 0.3][i % 6] ?? 0, h: 0.02 }],
}));

const optionsOf = (more: Partial<AutoAnchorOptions> = {}): AutoAnchorOptions => ({
  ...{ samples, imageSize: 640, threshold: 4, seed: 1, search: true, perLevel: undefined, hasTeacher: false },
  ...more,
});

const heard = (): {
  said: string[];
  context: { info: (m: string) => void; warn: (m: string) => void };
} => {
  const said: string[] = [];
  return {
    said,
    context: { info: (m) => void said.push(`info ${m}`), warn: (m) => void said.push(`warn ${m}`) },
  };
};

describe('AutoAnchor', () => {
  test('recall, anchors a box and fitness of three boxes and two anchors, by hand', () => {
    const sizes: BoxSize[] = [
      [10, 10],
      [40, 10],
      [100, 100],
    ];
    const anchors: BoxSize[] = [
      [10, 10],
      [20, 20],
    ];
    // Least ratios to the two anchors: 1, 1/2; 1/4, 1/2; 1/10, 1/5. A match is above 1/4.
    near(closeness([40, 10], [10, 10]), 1 / 4);
    near(closeness([40, 10], [20, 20]), 1 / 2);
    const { bpr, aat } = anchorFit(sizes, anchors, 4);
    near(bpr, 2 / 3);
    near(aat, 1);
    near(anchorFitness(sizes, anchors, 4), 1.5 / 3);
    near(anchorFitness(sizes, anchors, 6), 1.7 / 3);
  });

  test('boxes are measured where the longer side is the training size, times 0.9 to 1.1 an image', () => {
    const sizes = boxSizes(samples, 320, 3);
    assert.equal(sizes.length, 60);
    const scales = sizes.map(([w], i) => w / ((samples[i]?.labels[0]?.w ?? 0) * 320));
    for (const [i, scale] of scales.entries()) {
      assert.ok(scale >= 0.9 && scale <= 1.1);
      near((sizes[i]?.[1] ?? 0) / (0.02 * 160), scale);
    }
    assert.ok(Math.max(...scales) - Math.min(...scales) > 0.1);
    assert.deepEqual(sizes, boxSizes(samples, 320, 3));
  });

  test('the search finds clusters, keyed by the seed, by ascending area', () => {
    const centres: BoxSize[] = [
      [8, 12],
      [40, 30],
      [200, 90],
    ];
    const sizes = Array.from({ length: 90 }, (_, i): BoxSize => {
      const [w, h] = centres[i % 3] ?? [1, 1];
      const factor = uniform(drawKey(1, 'test-sizes'), i, 0.95, 1.05);
      return [w * factor, h * factor];
    });
    const search = { count: 3, imageSize: 320, threshold: 4, seed: 5 };
    const anchors = searchAnchors(sizes, search);
    assert.ok(anchorFitness(sizes, anchors, 4) > 0.9, JSON.stringify(anchors));
    for (const [i, anchor] of anchors.entries()) {
      assert.ok(closeness(anchor, centres[i] ?? [1, 1]) > 0.8, JSON.stringify(anchors));
    }
    assert.deepEqual(anchors, searchAnchors(sizes, search));
    // Fewer boxes than anchors: random ones are where it starts.
    const few = searchAnchors(sizes.slice(0, 2), { ...search, count: 4 });
    assert.equal(few.length, 4);
    assert.ok(few.every(([w, h]) => w >= 2 && h >= 2));
  });

  test('good anchors stay; bad ones are told, or found anew on request', () => {
    const yaml = readModelYaml('yolov5n.yaml');
    const fitting = samples.map((sample) => ({
      ...sample,
      labels: [{ ...sample.labels[0], h: 0.2, w: 0.1 }],
    }));
    const good = heard();
    const same = optionsOf({ samples: fitting as AutoAnchorOptions['samples'] });
    assert.equal(autoAnchor(yaml, same, good.context), yaml);
    assert.match(good.said.join(), /info anchors stay: 100.0 %/);

    const told = heard();
    assert.equal(autoAnchor(yaml, optionsOf({ search: false }), told.context), yaml);
    assert.match(told.said.join(), /warn the anchors fit the labels badly: .*--auto-anchor/);

    const found = heard();
    const { anchors } = autoAnchor(yaml, optionsOf(), found.context);
    assert.match(found.said.join(), /info new anchors: 100.0 %/);
    assert.deepEqual(
      anchors.map((level) => level.length),
      [6, 6, 6],
    );
    const areas = anchors.flatMap((level) => [0, 2, 4].map((a) => (level[a] ?? 0) * (level[a + 1] ?? 0)));
    assert.deepEqual(
      areas,
      [...areas].sort((a, b) => a - b),
    );
    const four = autoAnchor(yaml, optionsOf({ perLevel: 4 }), found.context);
    assert.deepEqual(
      four.anchors.map((level) => level.length),
      [8, 8, 8],
    );
  });

  test('a student is not parted from its teacher', () => {
    const yaml = readModelYaml('yolov5n.yaml');
    assert.throws(
      () => autoAnchor(yaml, optionsOf({ hasTeacher: true }), heard().context),
      (error) => isSoftshardError(error, 'E_OPTION_CONFLICT') && /part the student/.test(error.message),
    );
  });

  test('its draws have purposes of their own', () => {
    const purposes = [BOX_SIZE_PURPOSE, ...ANCHOR_PURPOSES];
    assert.equal(new Set(purposes.map(purposeConstant)).size, 4);
  });
});
