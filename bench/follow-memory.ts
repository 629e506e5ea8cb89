/** Follows the largest resident memory of a process. */
import { readFileSync } from 'node:fs';

export interface MemoryWatch {
  /** The process to watch from now on. */
  watch(pid: number): void;
  /** Ends watching: the peak in MB, or undefined where the system does not tell (not Linux). */
  stop(): number | undefined;
}

const peakOf = (pid: number): number | undefined => {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
};

export const followMemory = (intervalMs = 100): MemoryWatch => {
  let peak: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    watch: (pid) => {
      timer = setInterval(() => {
        const now = peakOf(pid);
        if (now !== undefined) peak = Math.max(peak ?? 0, now);
      }, intervalMs);
    },
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
};
