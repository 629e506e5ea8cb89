/** Whether an interpreter can import PyTorch. */
import { execFile } from 'node:child_process';

/** Undefined where it can; else why not, in one line. Loading it takes seconds. */
export const probePeer = (python: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(python, ['-c', 'import torch'], { timeout: 120_000 }, (error, _, stderr) => {
      if (error === null) resolve(undefined);
      else
        resolve(
          `${python} cannot import torch (${stderr.trim().split('\n').pop() || error.message}); SOFTSHARD_BENCH_PYTHON names another interpreter`,
        );
    });
  });
