/** Names and versions of the files of a cache. An unknown major is refused, unknown minor fields are kept. */
import type { FileFormat } from './document.ts';

export const CACHE_FORMAT = { format: 'softshard-cache', major: 1, minor: 0 } as const satisfies FileFormat;
export const UNIT_FORMAT = { format: 'softshard-unit', major: 1, minor: 0 } as const satisfies FileFormat;
export const SHARD_FORMAT = { format: 'softshard-shard', major: 1, minor: 0 } as const satisfies FileFormat;
export const INDEX_FORMAT = { format: 'softshard-index', major: 1, minor: 0 } as const satisfies FileFormat;
export const SEAL_FORMAT = { format: 'softshard-seal', major: 1, minor: 0 } as const satisfies FileFormat;

/** Names of the files that a cache has once. */
export const MANIFEST_NAME = 'cache.json';
export const INDEX_NAME = 'index.json';
export const SEAL_NAME = 'SEAL';
export const UNITS_PREFIX = 'units/';
export const EXTENSIONS_PREFIX = 'extensions/';

const UNIT_NAME = /^units\/(\d{6,})\.json$/;

/** The name of a unit's record. */
export const unitName = (unit: number): string => `${UNITS_PREFIX}${String(unit).padStart(6, '0')}.json`;

/** The unit whose record has that name, or undefined. */
export function unitOfName(name: string): number | undefined {
  const digits = UNIT_NAME.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const unit = Number(digits);
  return Number.isSafeInteger(unit) && unitName(unit) === name ? unit : undefined;
}
