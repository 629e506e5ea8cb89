/** Runs one external command of an installation, with everything it prints kept in a log. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** How a command ended. */
export interface CommandResult {
  /** Exit code; -1 when a signal ended it or it could not be started. */
  readonly code: number;
  /** Standard output and standard error together. */
  readonly output: string;
}

export interface CommandOptions {
  /** File that command and output are appended to. */
  readonly log?: string;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Ends the command with SIGTERM. */
  readonly signal?: AbortSignal;
}

/** Runs `file` with `args`; never rejects: a command that cannot be started has code -1 and says why. */
export const runCommand = (
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.environment === undefined ? {} : { env: options.environment }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    let failure = '';
    child.on('error', (error) => {
      failure = error.message;
    });
    child.on('close', (code) => {
      const all = failure === '' ? output : `${output}${failure}\n`;
      if (options.log !== undefined)
        appendFileSync(options.log, `$ ${[file, ...args].join(' ')}\n${all}[exit ${String(code ?? -1)}]\n\n`);
      resolve({ code: code ?? -1, output: all });
    });
  });

/** The last lines of an output that say something. */
export const lastLines = (output: string, count = 3): string =>
  output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-count)
    .join(' | ');
