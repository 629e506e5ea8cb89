/**
 * The credit pool that bounds what is alive in a process. RxJS has no backpressure, so a source takes credits
 * before it loads and the sink gives them back: memory depends on the credits, never on the data set.
 */
import { SoftshardError } from '../errors.ts';

/** Credits held by one item. */
export interface Lease {
  /** Size of the lease, bytes. */
  readonly bytes: number;
  /** Gives the credits back; further calls do nothing. */
  readonly release: () => void;
}

/** A fixed number of bytes that concurrent work shares. */
export interface CreditPool {
  /** All credits, bytes. */
  readonly total: number;
  /** Credits held now, bytes; never above `total`. */
  readonly inUse: number;
  /** The most that was ever held at once, bytes. */
  readonly peak: number;
  /**
   * Waits until `bytes` are free and takes them. First come, first served: a large request is not overtaken by
   * smaller ones behind it.
   *
   * @throws E_CREDITS when `bytes` exceeds `total` (it could never be met); E_ABORTED when `signal` aborts.
   */
  acquire(bytes: number, signal?: AbortSignal): Promise<Lease>;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

const aborted = (bytes: number, signal: AbortSignal): SoftshardError =>
  new SoftshardError('E_ABORTED', {
    message: `Waiting for ${bytes} bytes of memory credits was cancelled.`,
    cause: signal.reason,
  });

const checkRequest = (bytes: number, total: number): void => {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new SoftshardError('E_INTERNAL', {
      message: 'A credit request must be a whole number of bytes.',
      found: String(bytes),
    });
  if (bytes > total)
    throw new SoftshardError('E_CREDITS', {
      message: 'One item needs more memory credits than there are.',
      expected: `at most ${total} bytes`,
      found: `${bytes} bytes`,
      remedy: 'Raise the credits, or make the batch, the image size or the unit smaller.',
    });
};

/**
 * Makes a pool of `totalBytes` (a positive whole number) credits.
 *
 * @throws E_CREDITS when `totalBytes` is not a positive whole number.
 */
export const createCredits = (totalBytes: number): CreditPool => {
  if (!Number.isSafeInteger(totalBytes) || totalBytes <= 0)
    throw new SoftshardError('E_CREDITS', {
      message: 'Memory credits must be a positive whole number of bytes.',
      found: String(totalBytes),
    });
  let inUse = 0;
  let peak = 0;
  const queue: Waiter[] = [];

  const take = (bytes: number): Lease => {
    inUse += bytes;
    peak = Math.max(peak, inUse);
    let held = true;
    return {
      bytes,
      release: () => {
        if (!held) return;
        held = false;
        inUse -= bytes;
        grantWaiting();
      },
    };
  };

  const grantWaiting = (): void => {
    for (let first = queue[0]; first !== undefined && first.bytes <= totalBytes - inUse; first = queue[0]) {
      queue.shift();
      first.grant();
    }
  };

  const wait = (bytes: number, signal: AbortSignal | undefined): Promise<Lease> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        if (signal !== undefined) reject(aborted(bytes, signal));
        // The one that left may have been the large request that held up those behind it.
        grantWaiting();
      };
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve(take(bytes));
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(waiter);
    });

  return {
    total: totalBytes,
    get inUse() {
      return inUse;
    },
    get peak() {
      return peak;
    },
    acquire: async (bytes, signal) => {
      checkRequest(bytes, totalBytes);
      if (signal?.aborted === true) throw aborted(bytes, signal);
      if (queue.length === 0 && bytes <= totalBytes - inUse) return take(bytes);
      return wait(bytes, signal);
    },
  };
};
