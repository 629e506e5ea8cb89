/** Words the failures of the file system. */
import { SoftshardError } from '../errors.ts';

/** The errno name (`ENOENT`, ...) that an error of the file system carries. */
export const errnoOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
};

const MEANING: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EMFILE: 'too many open files',
  EROFS: 'a read-only file system',
  EIO: 'an error of the device',
};

/**
 * The SoftshardError for a failure of the file system: E_DISK_FULL for ENOSPC and EDQUOT, E_FILE for every other
 * errno. What carries no errno, and a SoftshardError, comes back as it was.
 */
export function fileError(error: unknown, path: string, action: 'read' | 'written'): unknown {
  const errno = errnoOf(error);
  if (error instanceof SoftshardError || errno === undefined) return error;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new SoftshardError('E_DISK_FULL', {
      message: 'The disk (or the quota) is full.',
      where: path,
      found: errno,
      remedy: 'Free some space and run the same command again: finished work is kept.',
      cause: error,
    });
  }
  const meaning = MEANING[errno];
  return new SoftshardError('E_FILE', {
    message: `A file could not be ${action}.`,
    where: path,
    found: meaning === undefined ? errno : `${errno}: ${meaning}`,
    cause: error,
  });
}
