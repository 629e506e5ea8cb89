import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import { candidates, decodeHeads, type HeadLevel } from '../../src/metric/box-decode.ts';
import { nonMaxSuppression } from '../../src/metric/nms.ts';
import { scaleBoxes } from '../../src/metric/scale-boxes.ts';
import type { HeadSpec } from '../../src/model/detector.ts';
import { referenceFloats, referenceJson, skipWithoutReference } from '../reference.ts';
import { headSpec } from '../loss/head-spec.ts';
import { detectionOf, rowOf, worstDifference } from './eval-vectors.ts';

/** The P5 head of YOLOv5 with 80 classes; its anchors are those of the COCO models, pixels. */
const head: HeadSpec = headSpec(80);

/** Image `b` of PyTorch's [B, na, ny, nx, no] in grid layout [ny, nx, na, no]. */
function gridLevel(array: { shape: readonly number[]; data: Float32Array }, b: number): HeadLevel {
  const [, na = 0, ny = 0, nx = 0, no = 0] = array.shape;
  const data = new Float32Array(na * ny * nx * no);
  for (let a = 0; a < na; a++) {
    for (let cell = 0; cell < ny * nx; cell++) {
      const from = ((b * na + a) * ny * nx + cell) * no;
      data.set(array.data.subarray(from, from + no), (cell * na + a) * no);
    }
  }
  return { data, ny, nx };
}

const referenceHeads = (b: number): HeadLevel[] =>
  ['p3', 'p4', 'p5'].map((p) => gridLevel(referenceFloats(`B_heads_320_${p}.npy`), b));

const matrix = ({ shape, data }: { shape: readonly number[]; data: Float32Array }): number[][] =>
  Array.from({ length: shape[0] ?? 0 }, (_, i) => Array.from(data.subarray(i * 6, i * 6 + 6)));

describe('decoding', { skip: skipWithoutReference }, () => {
  test('equals the reference on four images', () => {
    const expected = referenceFloats('B_decoded_320.npy').data;
    for (let b = 0; b < 4; b++) {
      const rows = decodeHeads(referenceHeads(b), head);
      assert.equal(rows.length, 6300 * 85);
      let [pixels, probability] = [0, 0];
      rows.forEach((value, i) => {
        const difference = Math.abs(value - (expected[b * 6300 * 85 + i] ?? NaN));
        if (i % 85 < 4) pixels = Math.max(pixels, difference);
        else probability = Math.max(probability, difference);
      });
      assert.ok(pixels < 1e-2, `${pixels} px`);
      assert.ok(probability < 1e-5, `${probability}`);
    }
  });

  test('finds the reference detections, from all rows and from the candidates', () => {
    const options = { confThreshold: 0.25, iouThreshold: 0.45, maxDetections: 1000 };
    for (let b = 0; b < 4; b++) {
      const heads = referenceHeads(b);
      const found = nonMaxSuppression(candidates(heads, head, 0.25), 80, options);
      assert.deepEqual(nonMaxSuppression(decodeHeads(heads, head), 80, options), found);
      compare(found.map(rowOf), matrix(referenceFloats(`B_nms_320_img${b}.npy`)), 1e-2);
    }
  });

  test('finds the reference detections with the options of validation', () => {
    const found = nonMaxSuppression(candidates(referenceHeads(0), head, 0.001), 80, {
      confThreshold: 0.001,
      iouThreshold: 0.6,
      multiLabel: true,
    }).map(rowOf);
    const expected = matrix(referenceFloats('B_nms_val_320_img0.npy'));
    assert.equal(found.length, 300);
    compare(found.slice(0, 100), expected.slice(0, 100), 1e-2);
  });

  test('brings detections back to the original pixels', () => {
    interface Entry {
      letterboxed_xyxy_conf_cls: number[][];
      original_pixels_xyxy_conf_cls: number[][];
    }
    const entries = referenceJson('ref', 'B_detections_320.json') as Entry[];
    const sizes = (referenceJson('ref', 'B_info.json') as { images: Record<string, number>[] }).images;
    entries.forEach((entry, i) => {
      const [width = 0, height = 0] = [sizes[i]?.['original_w'], sizes[i]?.['original_h']];
      const input = { width: 320, height: 320 };
      const found = entry.letterboxed_xyxy_conf_cls.map(detectionOf);
      const back = scaleBoxes(found, input, { width, height }).map(rowOf);
      assert.ok(worstDifference(back, entry.original_pixels_xyxy_conf_cls) < 2e-2);
    });
  });
});

/** Equal counts and classes, boxes within `pixels`, scores within 1e-5. */
function compare(found: number[][], expected: number[][], pixels: number): void {
  const column = (rows: number[][], from: number, to: number): number[][] =>
    rows.map((row) => row.slice(from, to));
  assert.deepEqual(column(found, 5, 6), column(expected, 5, 6));
  assert.ok(worstDifference(column(found, 0, 4), column(expected, 0, 4)) < pixels);
  assert.ok(worstDifference(column(found, 4, 5), column(expected, 4, 5)) < 1e-5);
}

describe('rows', () => {
  const tiny: HeadSpec = { ...head, nc: 1, na: 2, no: 6, strides: [4], names: ['a'] };
  const level = (): HeadLevel => ({ data: new Float32Array(2 * 3 * 2 * 6), ny: 2, nx: 3 });

  test('come anchor-major, then by row and column, with zero logits in the middle of their cell', () => {
    const rows = decodeHeads([level()], tiny);
    const row = (i: number): number[] => Array.from(rows.subarray(i * 6, i * 6 + 6));
    assert.deepEqual(row(0), [2, 2, 10, 13, 0.5, 0.5]);
    assert.deepEqual(row(5), [10, 6, 10, 13, 0.5, 0.5]);
    assert.deepEqual(row(6), [2, 2, 16, 30, 0.5, 0.5]);
  });

  test('of cells at the threshold are no candidates, above it they are', () => {
    const heads = [level()];
    heads[0]?.data.set([0, 0, 0, 0, 1e-3, 0], (4 * 2 + 1) * 6);
    const rows = candidates(heads, tiny, 0.5);
    assert.equal(rows.length, 6);
    const all = decodeHeads(heads, tiny);
    assert.deepEqual(rows, all.subarray((6 + 4) * 6, (6 + 5) * 6));
  });

  test('of a wrong length or number of levels are refused', () => {
    const short = [{ data: new Float32Array(5), ny: 1, nx: 1 }];
    for (const heads of [short, []]) {
      assert.throws(
        () => decodeHeads(heads, tiny),
        (error) => isSoftshardError(error, 'E_INTERNAL'),
      );
    }
  });
});
