/** Runs the command line as a user does, and kills it as a machine does. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../reference.ts';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a `softshard` command and, where `killAfterMs` is given, kills it: parent and child, or only the parent. */
export function runCommand(
  argv: readonly string[],
  kill?: { readonly afterMs: number; readonly whom: 'all' | 'parent' },
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(repositoryRoot, 'bin', 'softshard.js'), ...argv], {
    cwd: repositoryRoot,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) => {
    const timer =
      kill === undefined
        ? undefined
        : setTimeout(() => {
            const { pid } = child;
            if (pid === undefined) return;
            // The step leads a process group of its own: ask /proc for every descendant.
            if (kill.whom === 'all') for (const each of descendants(pid)) quietKill(each);
            quietKill(pid);
          }, kill.afterMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

const quietKill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
};

function descendants(pid: number): number[] {
  const listed = spawnSync('ps', ['-e', '-o', 'pid=,ppid=']).stdout.toString();
  const children = new Map<number, number[]>();
  for (const line of listed.split('\n')) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child === undefined || parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const below = (of: number): number[] => (children.get(of) ?? []).flatMap((c) => [...below(c), c]);
  return below(pid);
}

/** Runs a command to its end; a child whose parent was killed may hold the lock for a moment, which is waited for. */
export async function untilFree(argv: readonly string[]): Promise<Ended> {
  let last = await runCommand(argv);
  for (let i = 0; i < 50 && last.code !== 0 && last.output.includes('Another process is writing'); i++) {
    await sleep(200);
    last = await runCommand(argv);
  }
  return last;
}
