/** Tells a command's own options from those that every command has. */
import type { z } from 'zod';
import type { StepCommand } from '../flow/step-command.ts';
import { optionSpecs } from './option-spec.ts';
import { parseArgv } from './parse-argv.ts';
import { outputOptions } from './step-output.ts';

/** Reads both from the arguments. Throws E_USAGE as `parseArgv` does. */
export const splitArguments = (
  command: StepCommand,
  argv: readonly string[],
): { own: Record<string, unknown>; output: Record<string, unknown>; help: boolean } => {
  const outputSpecs = optionSpecs(outputOptions);
  const { values, help } = parseArgv([...optionSpecs(command.options), ...outputSpecs], argv);
  const isOutput = (key: string): boolean => outputSpecs.some((spec) => spec.key === key);
  const entries = Object.entries(values);
  return {
    own: Object.fromEntries(entries.filter(([key]) => !isOutput(key))),
    output: Object.fromEntries(entries.filter(([key]) => isOutput(key))),
    help,
  };
};

/** Finds `--json` and `--events` even in arguments that cannot be parsed, so that the error is told as asked. */
export const outputAskedFor = (argv: readonly string[]): z.output<typeof outputOptions> => ({
  json: argv.includes('--json'),
  events: argv.some((word, i) => word === '--events=json' || (word === '--events' && argv[i + 1] === 'json'))
    ? 'json'
    : undefined,
});
