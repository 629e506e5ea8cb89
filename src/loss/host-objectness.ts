import { SoftshardError } from '../errors.ts';
import { columnOf, type HeadRows } from './head-rows.ts';

/**
 * The teacher's objectness logits on the host, one list a level: the copy that came with the batch, else read from
 * the device. Throws E_LOSS when the copy does not fit the heads.
 */
export function hostObjectness(
  heads: readonly HeadRows[],
  copy: readonly Float32Array[] | undefined,
): readonly ArrayLike<number>[] {
  if (copy === undefined) return heads.map(({ rows }) => columnOf(rows, 4).dataSync());
  heads.forEach(({ count }, level) => {
    const found = copy[level]?.length;
    if (found !== count) {
      throw new SoftshardError('E_LOSS', {
        message: `The teacher's objectness of level ${level} does not belong to its head.`,
        expected: `${count} values`,
        found: `${found ?? 'no'} values`,
      });
    }
  });
  return copy;
}
