import { test } from 'node:test';
import assert from 'node:assert/strict';
import { augmentationSchema } from '../../src/augment/augmentation.ts';
import { augmentationOfView, checkCloseMosaic } from '../../src/augment/close-mosaic.ts';
import { isSoftshardError } from '../../src/errors.ts';

test('the last views are without mosaic and mixup, and keep the rest', () => {
  const augmentation = augmentationSchema.parse({ mosaic: 1, mixup: 0.5, fliplr: 0.5 });
  const mosaics = [0, 1, 2, 3, 4].map(
    (view) => augmentationOfView(augmentation, view, { views: 5, closed: 2 }).mosaic,
  );
  assert.deepEqual(mosaics, [1, 1, 1, 0, 0]);
  assert.deepEqual(augmentationOfView(augmentation, 4, { views: 5, closed: 1 }), {
    ...augmentation,
    mosaic: 0,
    mixup: 0,
  });
  checkCloseMosaic(1, 0);
  checkCloseMosaic(3, 2);
  assert.throws(
    () => checkCloseMosaic(2, 2),
    (error) => isSoftshardError(error, 'E_OPTION_CONFLICT'),
  );
});
