/** Stable descending order of many float32 scores, by one native sort of integer keys. */

const POSITIVE_INFINITY_BITS = 0x7f800000;
/** Up to here a key of 31 bits of score and the index is exact in float64. */
const KEYED_COUNT = 2 ** 21;

/**
 * Indices of the `limit` highest of the first `count` scores, in descending order; equal scores keep their order.
 *
 * Scores must be >= 0 and no NaN: the bits of such float32 values sort as the values do.
 */
export function rankDescending(scores: Float32Array, count: number, limit = count): Uint32Array {
  if (count > KEYED_COUNT) {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, limit);
  }
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const span = Math.max(count, 1);
  const keys = new Float64Array(count);
  // Below 2^31 · 2^21 = 2^52. The index in the low part makes the order stable.
  for (let i = 0; i < count; i++) keys[i] = (POSITIVE_INFINITY_BITS - (bits[i] ?? 0)) * span + i;
  keys.sort();
  return Uint32Array.from(keys.subarray(0, Math.min(limit, count)), (key) => key % span);
}
