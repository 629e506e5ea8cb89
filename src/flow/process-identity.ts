/**
 * Which process is meant by a pid: a pid alone is reused, so a lock also records the boot and the start time.
 */
import { readFileSync } from 'node:fs';

/** Names one process for as long as the machine exists. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Id of this boot of the machine; empty where the system does not tell. */
  readonly boot: string;
  /** When the process began, in clock ticks since the boot; empty where the system does not tell. */
  readonly started: string;
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
};

/** The fields of /proc/PID/stat from the third on. The second, the name, is in parentheses and may hold anything. */
const statFields = (pid: number): readonly string[] => {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** Field 22: when the process began. */
const startTime = (pid: number): string => statFields(pid)[19] ?? '';

/** A process that has ended and that its parent has not waited for yet: state Z. */
const isZombie = (pid: number): boolean => statFields(pid)[0] === 'Z';

/** The identity of a process by pid; of this one by default. */
export const processIdentity = (pid: number = process.pid): ProcessIdentity => ({
  pid,
  boot: readText('/proc/sys/kernel/random/boot_id'),
  started: startTime(pid),
});

const pidExists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/**
 * Whether exactly this process is still alive (on this machine); one that has ended and was not waited for is not.
 * Where /proc is missing, the pid decides.
 */
export const isAlive = (identity: ProcessIdentity): boolean => {
  if (!Number.isSafeInteger(identity.pid) || identity.pid <= 0 || !pidExists(identity.pid)) return false;
  if (isZombie(identity.pid)) return false;
  const now = processIdentity(identity.pid);
  return now.boot === identity.boot && now.started === identity.started;
};
