/** Draws from Beta distributions with whole parameters. */
import { SoftshardError } from '../errors.ts';
import { unitUniform, type DrawKey } from './keyed.ts';

/**
 * A draw of Beta(a, b) for whole a, b >= 1 with a + b <= 4096: the a-th smallest of a + b - 1 uniform draws, which
 * has exactly that distribution (order statistics; Devroye, "Non-uniform random variate generation", 1986, I.4.3).
 * Only comparisons, so the same bits everywhere. Uses indices `index` … `index + a + b - 2` of the key. Throws
 * E_USAGE on other parameters.
 */
export function beta(key: DrawKey, index: number, a: number, b: number): number {
  if (!Number.isInteger(a) || !Number.isInteger(b) || a < 1 || b < 1 || a + b > 4096) {
    throw new SoftshardError('E_USAGE', {
      message: 'These parameters of a Beta distribution are not supported.',
      expected: 'integers a, b >= 1 with a + b <= 4096',
      found: `a = ${a}, b = ${b}`,
    });
  }
  const draws = new Float64Array(a + b - 1);
  for (let i = 0; i < draws.length; i++) draws[i] = unitUniform(key, index + i);
  return draws.sort()[a - 1] ?? Number.NaN;
}
