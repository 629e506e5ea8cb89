/** Reads the records of committed units. */
import { corrupt } from './corrupt.ts';
import type { Extent, Answer } from './extent.ts';
import { malformed } from './corrupt.ts';
import { unitName, unitOfName, UNITS_PREFIX } from './formats.ts';
import { unitCount } from './extent.ts';
import { fileDigest, type CommittedUnit } from './seal.ts';
import type { Store } from './store.ts';
import { decodeUnitRecord } from './unit-record.ts';

/**
 * The record of a unit with its file's digest, or undefined when the unit is not committed. `sha256` is what the
 * index states about the file. Throws E_CACHE_FORMAT, E_CACHE_CORRUPT.
 */
export async function readUnit(
  store: Store,
  unit: number,
  extent: Extent,
  answers: readonly Pick<Answer, 'kind' | 'codec'>[],
  sha256?: string,
): Promise<CommittedUnit | undefined> {
  const name = unitName(unit);
  const content = await store.get(name);
  if (content === undefined) return undefined;
  const file = fileDigest(name, content);
  if (sha256 !== undefined && sha256 !== file.sha256) {
    throw corrupt(name, `sha256 ${file.sha256}`, { expected: `sha256 ${sha256}` });
  }
  return { record: decodeUnitRecord(content, unit, extent, answers), file };
}

/** The committed units, ascending. Throws E_CACHE_FORMAT for a file among the records that is none of the extent's. */
export async function listUnits(store: Store, extent: Extent): Promise<number[]> {
  const names = await store.list(UNITS_PREFIX);
  const units = names.map((name) => {
    const unit = unitOfName(name);
    if (unit === undefined || unit >= unitCount(extent)) {
      throw malformed(name, 'a file that is no unit of this cache', {
        expected: `units 0 to ${unitCount(extent) - 1}`,
      });
    }
    return unit;
  });
  return units.sort((a, b) => a - b);
}
