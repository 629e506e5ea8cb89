import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { boxCells, focalMasks } from '../../../src/loss/features/box-cells.ts';
import {
  focalGlobal,
  focalTerms,
  relationTerm,
  type ContextBlocks,
} from '../../../src/loss/features/focal-global.ts';
import { contextBlock, type ContextParameters } from '../../../src/loss/features/global-context.ts';
import { gradientError } from '../finite-differences.ts';
import { absoluteSum, largestDifference, relativeError, valueOf } from '../on-engine.ts';
import { distillationVectors as vectors } from '../vectors.ts';
import { vectorStudent, vectorTeacher } from './vector-features.ts';

const { fgd } = vectors;
const [imageHeight, imageWidth] = fgd.img_hw;
const grid = { batch: 2, height: 4, width: 5 };

/** The vectors' boxes, corners in pixels, as label rows. */
const labels = Float32Array.from(
  fgd.boxes.flatMap((boxes, image) =>
    boxes.flatMap(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => [
      ...[image, 0, (x1 + x2) / 2 / imageWidth, (y1 + y2) / 2 / imageHeight],
      ...[(x2 - x1) / imageWidth, (y2 - y1) / imageHeight],
    ]),
  ),
);
const boxes = { labels, labelled: [true, true] };
const options = { alpha: 1e-3, beta: 5e-4, gamma: 1e-3, lambda: 5e-6, temperature: 0.5 };

const wave = (shape: readonly number[], phase: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + phase)),
    [...shape],
  );

/** Context blocks of 3 channels with nothing at 0. */
function blockOf(phase: number): ContextParameters {
  const filter = (from: number, to: number, p: number): tf.Tensor4D =>
    wave([1, 1, from, to], phase + p) as tf.Tensor4D;
  const vector = (n: number, p: number): tf.Tensor1D => wave([n], phase + p) as tf.Tensor1D;
  return {
    attendWeight: filter(3, 1, 0),
    attendBias: vector(1, 1),
    reduceWeight: filter(3, 2, 2),
    reduceBias: vector(2, 3),
    normWeight: vector(2, 0.5),
    normBias: vector(2, 0.7),
    expandWeight: filter(2, 3, 4),
    expandBias: vector(3, 5),
  };
}
const blocks: ContextBlocks = { student: blockOf(0.2), teacher: blockOf(1.1) };

describe('fgd', () => {
  test('the foreground mask is that of the vectors, the background the rest', () => {
    const { foreground, background } = focalMasks(boxes, grid);
    assert.ok(largestDifference(foreground.dataSync(), fgd.Mfg.flat(2)) < 1e-7);
    const [first, second] = tf.split(background, 2).map((half) => half.dataSync());
    fgd.Mfg.forEach((mask, image) => {
      const flat = mask.flat();
      const free = flat.filter((weight) => weight === 0).length;
      const expected = flat.map((weight) => (weight === 0 ? 1 / free : 0));
      assert.ok(largestDifference([first, second][image] ?? [], expected) < 1e-7);
    });
  });

  test('foreground, background and attention are those of the vectors', () => {
    const terms = focalTerms(vectorStudent(), vectorTeacher(), focalMasks(boxes, grid), 0.5);
    assert.ok(relativeError(valueOf(terms.foreground), fgd.fg) < 1e-5, `${valueOf(terms.foreground)}`);
    assert.ok(relativeError(valueOf(terms.background), fgd.bg) < 1e-5, `${valueOf(terms.background)}`);
    assert.ok(relativeError(valueOf(terms.attention), fgd.att) < 1e-5, `${valueOf(terms.attention)}`);
  });

  test('the whole is the weighted sum, with and without relations', () => {
    const [s, t, masks] = [vectorStudent(), vectorTeacher(), focalMasks(boxes, grid)];
    const focal = 1e-3 * fgd.fg + 5e-4 * fgd.bg + 1e-3 * fgd.att;
    assert.ok(relativeError(valueOf(focalGlobal(s, t, masks, options, undefined)), focal) < 1e-5);
    const whole = focal + 5e-6 * valueOf(relationTerm(s, t, blocks));
    assert.ok(relativeError(valueOf(focalGlobal(s, t, masks, options, blocks)), whole) < 1e-5);
  });

  test('gradients in the student equal finite differences', () => {
    // Magnitudes have no derivative at 0: no element lies within a step of it.
    const s = tf.add<tf.Tensor4D>(vectorStudent(), 0.0313);
    const masks = focalMasks(boxes, grid);
    const even = { alpha: 0.1, beta: 0.2, gamma: 0.3, lambda: 0.05, temperature: 0.5 };
    for (const given of [undefined, blocks]) {
      const error = gradientError(
        (x) => focalGlobal(x as tf.Tensor4D, vectorTeacher(), masks, even, given),
        s.dataSync(),
        s.shape,
        0.01,
      );
      assert.ok(error < 5e-4, `${error}`);
    }
  });

  test('gradients in every parameter of both blocks equal finite differences', () => {
    const [s, t] = [vectorStudent(), vectorTeacher()];
    for (const whose of ['student', 'teacher'] as const) {
      for (const name of Object.keys(blocks[whose]) as (keyof ContextParameters)[]) {
        const value = blocks[whose][name];
        const error = gradientError(
          (x) => tf.mul(relationTerm(s, t, { ...blocks, [whose]: { ...blocks[whose], [name]: x } }), 0.01),
          value.dataSync(),
          value.shape,
          0.01,
        );
        assert.ok(error < 2e-3, `${whose} ${name}: ${error}`);
      }
    }
  });

  test('a block whose last layer is 0 adds nothing', () => {
    const x = vectorStudent();
    const zero = { expandWeight: tf.zeros<tf.Rank.R4>([1, 1, 2, 3]), expandBias: tf.zeros<tf.Rank.R1>([3]) };
    assert.deepEqual(contextBlock(x, { ...blocks.student, ...zero }).dataSync(), x.dataSync());
  });

  test('equal maps are at distance 0 with a gradient of 0; images without annotation have no focus', () => {
    const t = vectorTeacher();
    const loss = (x: tf.Tensor): tf.Scalar =>
      focalGlobal(x as tf.Tensor4D, t, focalMasks(boxes, grid), options, undefined);
    const { value, grad } = tf.valueAndGrad(loss)(t);
    assert.equal(valueOf(value), 0);
    assert.equal(absoluteSum(grad.dataSync()), 0);
    const none = focalMasks({ labels, labelled: [false, false] }, grid);
    assert.equal(absoluteSum(none.foreground.dataSync()) + absoluteSum(none.background.dataSync()), 0);
  });

  test('boxes mark the cells that they touch, and stay inside the map', () => {
    const wide = { labels: Float32Array.of(0, 0, 0.5, 0.5, 3, 0.2), labelled: [true] };
    const found = boxCells(wide, { batch: 1, height: 4, width: 2 });
    assert.deepEqual([...found.dataSync()], [0, 0, 1, 1, 1, 1, 1, 1]);
  });
});
