/** Cancelled work ends in E_ABORTED. */
import { SoftshardError } from '../errors.ts';

/** Throws E_ABORTED with the signal's reason as its cause once the signal is aborted. */
export function refuseAborted(signal: AbortSignal | undefined, where: string): void {
  if (signal?.aborted !== true) return;
  throw new SoftshardError('E_ABORTED', {
    message: 'The work on the cache was cancelled.',
    where,
    cause: signal.reason,
  });
}
