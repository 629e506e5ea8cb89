/** The command `softshard`: chooses the subcommand and runs it as its own script would. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, exitCodeOf, toErrorRecord } from '../errors.ts';
import { modulePath, packageRoot } from '../flow/script-path.ts';
import { executeElsewhere } from '../flow/run-elsewhere.ts';
import { executeStep, exitWith } from '../flow/step-main.ts';
import { chooseCommand, COMMANDS, loadCommand } from './commands.ts';
import { screenOn } from './progress.ts';
import { errorText } from './step-output.ts';

const version = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')))
    .version;

/** The commands that begin with `prefix`, a line each. */
const overview = (prefix = ''): string => {
  const rows = COMMANDS.filter(({ name }) => name.startsWith(prefix)).map(
    ({ name, summary }) => `  ${name.padEnd(18)}${summary}`,
  );
  return [
    'softshard: knowledge distillation for vision models in which the teacher runs once.',
    'Usage: softshard COMMAND [options]',
    `Commands\n${rows.join('\n')}`,
    'softshard COMMAND --help lists the options of a command.\n',
  ].join('\n\n');
};

/** Runs the command line `argv` (without node and script) and returns the exit code. */
export const main = async (argv: readonly string[]): Promise<number> => {
  const [first] = argv;
  if (
    first === undefined ||
    first === '--help' ||
    first === '-h' ||
    (first === 'help' && argv.length === 1)
  ) {
    process.stdout.write(overview());
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  const rest = argv.slice(1);
  const isGroup = COMMANDS.some(({ name }) => name.startsWith(`${first} `));
  if (isGroup && (rest.length === 0 || ['--help', '-h'].includes(rest[0] ?? ''))) {
    process.stdout.write(overview(`${first} `));
    return rest.length === 0 ? EXIT.usage : EXIT.ok;
  }
  if (first === '--version' || first === '-V') {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  try {
    const { entry, argv: own } = chooseCommand(first === 'help' ? [...rest, '--help'] : argv);
    const script = modulePath(entry.module);
    const wantsHelp = own.includes('--help') || own.includes('-h');
    if (entry.opensEngine && !wantsHelp && existsSync(script))
      return await executeElsewhere(entry.name, own, script);
    const command = await loadCommand(entry);
    return await executeStep(command, own, script, `softshard ${entry.name}`);
  } catch (error) {
    // Only what happens before a command is there to report it.
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: toErrorRecord(error) })}\n`);
    process.stderr.write(errorText(error, screenOn(process.stderr, process.env).hasColour));
    return exitCodeOf(error);
  }
};

await exitWith(await main(process.argv.slice(2)));
