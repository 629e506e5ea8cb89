/** The two failures of reading a cache: bytes that break the format, and bytes that disagree with their digest. */
import { SoftshardError, type FailureDetail } from '../errors.ts';

/** A file that is not what the format demands: E_CACHE_FORMAT. */
export const malformed = (where: string, found: string, detail?: Partial<FailureDetail>): SoftshardError =>
  new SoftshardError('E_CACHE_FORMAT', {
    message: 'A file of the cache is malformed.',
    where,
    found,
    ...detail,
  });

/** Bytes that changed after they were written: E_CACHE_CORRUPT. */
export const corrupt = (where: string, found: string, detail?: Partial<FailureDetail>): SoftshardError =>
  new SoftshardError('E_CACHE_CORRUPT', {
    message: 'A file of the cache was changed or damaged after it was written.',
    where,
    found,
    remedy: 'softshard verify CACHE says what is damaged, softshard repair CACHE mends it.',
    ...detail,
  });
