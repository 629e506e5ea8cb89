/** Draws from the standard normal distribution, with the same bits on every machine. */
import { SoftshardError } from '../errors.ts';
import { drawWords, fraction53, type DrawKey } from './keyed.ts';

/** Indices of normal draws end here: the 8 bits above count the attempts of the rejection method. */
const INDEX_LIMIT = 0x1000000;
const SQRT_HALF = 0.7071067811865476;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/**
 * Natural logarithm of x in (0, 1], by additions, multiplications and one division, since Math.log may differ
 * between engines: x = 2^e * m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh((m-1)/(m+1)) as a series.
 * Absolute error below 1e-15 * (1 + |log x|).
 */
function logarithm(x: number): number {
  let m = x;
  let e = 0;
  while (m < SQRT_HALF) {
    m *= 2;
    e -= 1;
  }
  const z = (m - 1) / (m + 1);
  const z2 = z * z;
  let sum = 0;
  for (let k = 23; k >= 1; k -= 2) sum = sum * z2 + 1 / k;
  return e * LN2_HIGH + (e * LN2_LOW + 2 * z * sum);
}

/**
 * A standard normal float64 for index 0…2^24-1, by the polar method (Marsaglia and Bray 1964): attempt k uses the
 * block at index + k * 2^24, its words 0, 1 and 2, 3 as the two coordinates. Throws E_USAGE on a larger index.
 */
export function normal(key: DrawKey, index: number): number {
  if (!(index >= 0 && index < INDEX_LIMIT)) {
    throw new SoftshardError('E_USAGE', {
      message: 'The index of a normal draw is out of range.',
      expected: `an integer from 0 to ${INDEX_LIMIT - 1}`,
      found: String(index),
    });
  }
  // 0.2146 of the attempts are refused: that 256 in a row are has a probability of 1e-171.
  for (let attempt = 0; attempt < 256; attempt++) {
    const [a, b, c, d] = drawWords(key, index + attempt * INDEX_LIMIT);
    const x = 2 * fraction53(a, b) - 1;
    const y = 2 * fraction53(c, d) - 1;
    const s = x * x + y * y;
    if (s > 0 && s < 1) return x * Math.sqrt((-2 * logarithm(s)) / s);
  }
  throw new SoftshardError('E_INTERNAL', { message: 'A normal draw was refused 256 times in a row.' });
}
