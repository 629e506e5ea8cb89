/** A fixed number of shared buffers, handed out first come, first served. */
import { SoftshardError } from '../errors.ts';

export interface SlotPool {
  /** A free slot, as soon as there is one. Rejects with E_ABORTED when the signal fires first or the pool closes. */
  acquire(signal?: AbortSignal): Promise<SharedArrayBuffer>;
  /** Gives a slot back; the longest waiting gets it. */
  release(slot: SharedArrayBuffer): void;
  /** Rejects all that wait, now and later. */
  close(reason: SoftshardError): void;
  /** Slots handed out now. */
  readonly taken: () => number;
}

interface Waiting {
  give(slot: SharedArrayBuffer): void;
  refuse(error: SoftshardError): void;
}

/** What anything rejects with when its signal fires. */
export const aborted = (signal: AbortSignal): SoftshardError =>
  new SoftshardError('E_ABORTED', { message: 'Decoding was cancelled.', cause: signal.reason });

/** Allocates `slots` buffers of `slotBytes` each. */
export function createSlotPool(slots: number, slotBytes: number): SlotPool {
  const free = Array.from({ length: slots }, () => new SharedArrayBuffer(slotBytes));
  const waiting = new Set<Waiting>();
  let closedBy: SoftshardError | undefined;
  return {
    acquire(signal) {
      if (signal?.aborted === true) return Promise.reject(aborted(signal));
      if (closedBy !== undefined) return Promise.reject(closedBy);
      const slot = free.pop();
      if (slot !== undefined) return Promise.resolve(slot);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(entry);
          signal?.removeEventListener('abort', onAbort);
        };
        const onAbort = (): void => {
          leave();
          if (signal !== undefined) reject(aborted(signal));
        };
        const entry: Waiting = {
          give(given) {
            leave();
            resolve(given);
          },
          refuse(error) {
            leave();
            reject(error);
          },
        };
        waiting.add(entry);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    release(slot) {
      const [next] = waiting;
      if (next === undefined) free.push(slot);
      else next.give(slot);
    },
    close(reason) {
      closedBy = reason;
      for (const entry of waiting) entry.refuse(reason);
    },
    taken: () => slots - free.length,
  };
}
