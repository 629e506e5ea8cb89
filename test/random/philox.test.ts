import assert from 'node:assert/strict';
import { test } from 'node:test';
import { philox4x32, type Words4 } from '../../src/random/philox.ts';

// Known answers published with Random123 (kat_vectors, philox4x32 with 10 rounds).
const KNOWN: readonly { counter: Words4; key: readonly [number, number]; words: Words4 }[] = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

for (const { counter, key, words } of KNOWN) {
  test(`philox4x32-10 of ${counter.map((c) => c.toString(16)).join(' ')}`, () => {
    assert.deepEqual(philox4x32(counter, key), words);
  });
}

test('one counter bit changes half of the output bits', () => {
  const base = philox4x32([1, 2, 3, 4], [5, 6]);
  let changed = 0;
  for (let bit = 0; bit < 32; bit++) {
    const other = philox4x32([(1 ^ (1 << bit)) >>> 0, 2, 3, 4], [5, 6]);
    for (const [w, word] of base.entries()) {
      changed += ((word ^ (other[w] ?? 0)) >>> 0).toString(2).replaceAll('0', '').length;
    }
  }
  // 4096 bits, each changed with probability 1/2: standard deviation 32.
  assert.ok(Math.abs(changed - 2048) < 4 * 32, String(changed));
});
