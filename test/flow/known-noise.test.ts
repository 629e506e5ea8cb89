import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { noiseFilter } from '../../src/flow/known-noise.ts';

const NOISE =
  'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n' +
  'I0000 00:00:1795529546.408287   19391 port.cc:153] oneDNN custom operations are on. You may see slightly ' +
  'different numerical results.\n' +
  'I0000 00:00:1795529546.530568   19391 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use ' +
  'available CPU instructions in performance-critical operations.\n' +
  'To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the appropriate ' +
  'compiler flags.\n';

const filtered = (chunks: readonly string[]): string => {
  const filter = noiseFilter();
  return [...chunks.map((chunk) => filter.take(chunk)), filter.end()].join('');
};

describe('noiseFilter', () => {
  test('drops the known lines, however the text is cut, and nothing else', () => {
    const text = `teach: engine\n${NOISE}WARNING: mine\nI0000 00:00:1 2 x.cc:1] Other.\ntrain: 1/2\rdone`;
    const wanted = 'teach: engine\nWARNING: mine\nI0000 00:00:1 2 x.cc:1] Other.\ntrain: 1/2\rdone';
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((end, i) => text.slice(at[i], end));
        assert.equal(filtered(chunks), wanted);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('passes an unfinished line on at once, unless it may become one of those', () => {
    const filter = noiseFilter();
    assert.equal(filter.take('\rtrain: 1/'), '\rtrain: 1/');
    assert.equal(filter.take('4\nWARN'), '4\n');
    assert.equal(filter.take('ING: all'), 'WARNING: all');
    assert.equal(filter.take('\nI0000 00:00:1'), '\n');
    assert.equal(filter.end(), 'I0000 00:00:1');
  });
});
