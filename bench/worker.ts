/** A process that answers one JSON line for each that it is sent. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { z } from 'zod';

export interface Worker {
  /** Sends a command and waits for its answer. Rejects when the process ends instead, with the last it printed. */
  ask<T>(command: object, schema: z.ZodType<T>): Promise<T>;
  /** Ends the process and waits for its end. */
  end(): Promise<void>;
}

export const startWorker = (
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Worker => {
  const child = spawn(file, argv, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-2000)));
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      printed += error.message;
      resolve();
    });
    child.on('exit', () => resolve());
  });
  // A process that is gone does not read; the answer that never comes tells it.
  child.stdin.on('error', () => undefined);
  return {
    ask: async (command, schema) => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const line = (await lines.next()) as IteratorResult<string, undefined>;
      if (line.done === true) {
        await ended;
        throw new Error(printed.trim().split('\n').pop() ?? 'the process ended without an answer');
      }
      return schema.parse(JSON.parse(line.value));
    },
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
};
