import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSamePixels } from '../../src/augment/assert-same-pixels.ts';
import type { DecodedView } from '../../src/data/view.ts';
import { SoftshardError } from '../../src/errors.ts';
import { bankView } from './view-bank.ts';

const view: DecodedView = {
  record: { ...bankView(0), view: 4 },
  pixels: new Uint8Array(0),
  labels: undefined,
  pixelDigest: '00000000000000aa',
};
const context = {
  path: 'images/a.jpg',
  recorded: { file: 'f1', libvips: '8.17' },
  current: { file: 'f1', libvips: '8.17' },
};
const failure = (current: Readonly<Record<string, string>>): SoftshardError => {
  try {
    assertSamePixels('00000000000000bb', view, { ...context, current });
  } catch (error) {
    if (error instanceof SoftshardError) return error;
  }
  return assert.fail('nothing was thrown');
};

test('equal digests pass', () => {
  assertSamePixels('00000000000000aa', view, context);
});

test('the error names the view and what differs', () => {
  const error = failure({ file: 'f1', libvips: '8.18', imgsz: '640' });
  assert.equal(error.code, 'E_PIXELS');
  assert.match(error.message, /images\/a\.jpg, view 4/);
  assert.match(error.message, /imgsz: unknown -> 640; libvips: 8\.17 -> 8\.18/);
  assert.doesNotMatch(error.message, /f1/);
  assert.match(failure(context.current).message, /as recorded/);
});
