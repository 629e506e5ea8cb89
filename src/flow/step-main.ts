/** What a step's script calls: `node stages/teach.ts ...` behaves as `softshard teach ...` does. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, reasonOf } from '../errors.ts';
import { executeStep } from './execute-step.ts';
import type { StepCommand } from './step-command.ts';

export { executeStep } from './execute-step.ts';
export { defineStep, isStepCommand } from './step-command.ts';
export type { EventBody, StepCommand, StepContext } from './step-command.ts';

/** Whether the module `url` is the script that node was started with. */
export const isMain = (url: string): boolean => {
  const [, script] = process.argv;
  if (script === undefined || !url.startsWith('file:')) return false;
  try {
    return realpathSync(script) === realpathSync(fileURLToPath(url));
  } catch {
    return false;
  }
};

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()));

/** Ends the process with `code` once everything printed has left it. Handles that are still open do not hold it. */
export const exitWith = async (code: number): Promise<never> => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
};

/**
 * Makes a module a script: `stepMain(import.meta.url, command)` at its end runs the command when node was started
 * with this file, and does nothing when the module is imported. Not awaited: a module with a top-level `await` could
 * not be required by a CommonJS pipeline.
 */
export const stepMain = (url: string, command: StepCommand): void => {
  if (!isMain(url)) return;
  executeStep(command, process.argv.slice(2), fileURLToPath(url)).then(exitWith, (error: unknown) => {
    process.stderr.write(`${reasonOf(error)}\n`);
    return exitWith(EXIT.failure);
  });
};
