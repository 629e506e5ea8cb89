import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isSoftshardError, SoftshardError } from '../../src/errors.ts';
import { LETTERBOX_ONLY } from '../../src/augment/augmentation.ts';
import { augmentationOf, BUILTIN_HYPS, HYP_KEYS, parseHyp, readHyp } from '../../src/augment/hyp.ts';

const failure = (run: () => unknown): SoftshardError => {
  try {
    run();
  } catch (error) {
    if (isSoftshardError(error, 'E_HYP')) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('hyper-parameters', () => {
  test('the builtin files hold the published values', async () => {
    const low = await readHyp('scratch-low');
    assert.deepEqual(low.augmentation, {
      ...LETTERBOX_ONLY,
      hsv_h: 0.015,
      hsv_s: 0.7,
      hsv_v: 0.4,
      translate: 0.1,
      scale: 0.5,
      fliplr: 0.5,
      mosaic: 1,
    });
    const med = await readHyp('hyp.scratch-med.yaml');
    assert.deepEqual(med.augmentation, { ...low.augmentation, scale: 0.9, mixup: 0.1 });
    assert.deepEqual(med.training, { ...low.training, lrf: 0.1, cls: 0.3, obj: 0.7 });
    const high = await readHyp('hyp.scratch-high');
    assert.deepEqual(high.augmentation, { ...med.augmentation, copy_paste: 0.1 });
    assert.deepEqual(high.training, med.training);
    const none = await readHyp('no-augmentation');
    assert.deepEqual(none.augmentation, LETTERBOX_ONLY);
    assert.deepEqual(none.training, med.training);
  });

  test('scratch-low equals the training defaults, and each file names every key of the table', async () => {
    assert.deepEqual((await readHyp('scratch-low')).training, parseHyp({}, 'x').training);
    for (const name of BUILTIN_HYPS) {
      const { given } = await readHyp(name);
      const unnamed = HYP_KEYS.filter((key) => !given.has(key));
      assert.deepEqual(unnamed, ['label_smoothing', 'anchors', 'mosaic9'], name);
    }
  });

  test('an unknown key names the nearest known one', () => {
    const error = failure(() => parseHyp({ mosiac: 1 }, 'my.yaml'));
    assert.match(error.message, /mosiac/);
    assert.match(error.message, /Did you mean mosaic\?/);
    assert.match(error.message, /my\.yaml/);
    assert.match(failure(() => parseHyp({ weightdecay: 1 }, 'x')).message, /weight_decay/);
  });

  test('a value out of range or of another type is refused with its key', () => {
    for (const [key, value] of [
      ['mosaic', 1.5],
      ['lr0', 0],
      ['scale', 1],
      ['degrees', '10'],
      ['momentum', null],
      ['fliplr', Number.NaN],
    ] as const) {
      assert.match(
        failure(() => parseHyp({ [key]: value }, 'x.yaml')).message,
        new RegExp(`x.yaml, key ${key}`),
      );
    }
  });

  test('settings lie over the file, and what was named is known', async () => {
    const hyp = await readHyp('scratch-low', { mosaic: '0', lr0: 0.02 });
    assert.equal(hyp.augmentation.mosaic, 0);
    assert.equal(hyp.training.lr0, 0.02);
    await assert.rejects(readHyp('scratch-low', { mosaic: 'x' }), (e) => isSoftshardError(e, 'E_HYP'));
    assert.deepEqual([...parseHyp({ mosaic: 0, lr0: 1 }, 'x').given].toSorted(), ['lr0', 'mosaic']);
  });

  test('files are read from disk; missing and malformed ones are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'softshard-hyp-'));
    try {
      const file = join(folder, 'voc.yaml');
      await writeFile(file, 'lr0: 0.00334\nmosaic: 0.85834\nanchors: 3.412\nanchor_t: 3.3744\n');
      const hyp = await readHyp(file);
      assert.equal(hyp.training.anchors, 3.412);
      assert.equal(hyp.augmentation.mosaic, 0.85834);
      await writeFile(file, '- 1\n- 2\n');
      await assert.rejects(readHyp(file), (e) => isSoftshardError(e, 'E_HYP'));
      await writeFile(file, 'lr0: [\n');
      await assert.rejects(readHyp(file), (e) => isSoftshardError(e, 'E_HYP'));
      await assert.rejects(readHyp(join(folder, 'none.yaml')), (e) => isSoftshardError(e, 'E_HYP'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('copy-paste is named, read, and refused where views are drawn', async () => {
    const high = await readHyp('scratch-high');
    assert.match(failure(() => augmentationOf(high)).message, /polygons/);
    assert.equal(augmentationOf(await readHyp('scratch-high', { copy_paste: 0 })).copy_paste, 0);
  });
});
