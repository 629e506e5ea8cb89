/** The process's own clock, for waits and leases: handed to whoever needs it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds since the process began, and waits that a signal cuts short by rejecting. */
export const monotonicClock = {
  now: (): number => performance.now(),
  sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
    sleep(ms, undefined, signal === undefined ? {} : { signal }),
} as const;
