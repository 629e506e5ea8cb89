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

/** Objectness logits (column 4 of `no`) of a head's rows. */
export function objectnessOf(head: {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}): Float32Array {
  const no = head.shape.at(-1) ?? 1;
  const rows = head.data.length / no;
  const result = new Float32Array(rows);
  for (let i = 0, at = 4; i < rows; i++, at += no) result[i] = head.data[at] ?? 0;
  return result;
}
