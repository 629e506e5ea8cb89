import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { editDistance, nearestName } from '../../src/text/nearest-name.ts';

describe('nearestName', () => {
  test('counts insertions, deletions and substitutions', () => {
    assert.equal(editDistance('kitten', 'sitting'), 3);
    assert.equal(editDistance('', 'abc'), 3);
    assert.equal(editDistance('abc', 'abc'), 0);
  });

  test('finds the closest, whatever the case, and the first of equals', () => {
    assert.equal(nearestName('evalute', ['teach', 'evaluate']), 'evaluate');
    assert.equal(nearestName('Mosiac', new Set(['mixup', 'mosaic'])), 'mosaic');
    assert.equal(nearestName('ab', ['ac', 'ad']), 'ac');
    assert.equal(nearestName('eval', ['evaluate']), 'evaluate');
  });

  test('finds none where nothing is close', () => {
    assert.equal(nearestName('abc', []), undefined);
    assert.equal(nearestName('xyzzy', ['teach', 'train']), undefined);
  });
});
