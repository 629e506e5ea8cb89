import { test } from 'node:test';
import assert from 'node:assert/strict';
import { augmentationSchema } from '../../src/augment/augmentation.ts';
import { drawView } from '../../src/augment/draw-view.ts';

test('a view may be a rectangle: the image fills the side that it fits, padded on the other', () => {
  const samples = [{ width: 640, height: 400, labels: [] }];
  const none = augmentationSchema.parse({});
  // 640 x 400 at 320 is 320 x 200, in 320 x 224 padded by 12 above and below.
  const shape = { width: 320, height: 224 };
  const { width, height, composition } = drawView({ sample: 0, view: 3 }, samples, 320, none, 1, shape);
  assert.deepEqual([width, height], [320, 224]);
  assert.deepEqual(composition, {
    kind: 'letterbox',
    canvasWidth: 320,
    canvasHeight: 224,
    images: [
      {
        sample: 0,
        w: 320,
        h: 200,
        canvas: [0, 12, 320, 212],
        source: [0, 0],
        boxScale: [320, 200],
        boxShift: [0, 12],
      },
    ],
    warpScale: 1,
  });
  const warped = drawView(
    { sample: 0, view: 3 },
    samples,
    320,
    augmentationSchema.parse({ scale: 0.5, translate: 0.1, fliplr: 0.5 }),
    1,
    shape,
  );
  assert.ok(warped.composition.matrix !== undefined);
  assert.deepEqual([warped.width, warped.height], [320, 224]);
});
