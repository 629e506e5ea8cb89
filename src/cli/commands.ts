/** The subcommands: where each one's `StepCommand` is. Modules are loaded when they are asked for. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { SoftshardError } from '../errors.ts';
import { modulePath } from '../flow/script-path.ts';
import { isStepCommand, type StepCommand } from '../flow/step-command.ts';
import { nearestName } from '../text/nearest-name.ts';

/** One subcommand. */
export interface CommandEntry {
  /** As it is typed; `engine install` is two words. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Module from the package's root, without extension, that exports `command`. */
  readonly module: string;
  /** Whether it opens an engine, which takes a process of its own. */
  readonly opensEngine: boolean;
}

const entry = (name: string, summary: string, module: string): CommandEntry => ({
  ...{ name, summary, module },
  opensEngine: false,
});
const engineEntry = (name: string, summary: string, module: string): CommandEntry => ({
  ...{ name, summary, module },
  opensEngine: true,
});

/** Every subcommand in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  entry('demo', 'distil a small detector on rendered shapes, from plan to report', 'src/cli/demo'),
  entry('run', 'run a pipeline file', 'src/cli/run'),
  entry('plan', 'list the views and units of a data set', 'stages/images'),
  entry('crop', 'cut boxes out as a data set for classifiers', 'stages/crop'),
  entry('decode', 'decode and augment views into pixel shards', 'stages/decode'),
  engineEntry('teach', 'run the teacher once and cache its answers', 'stages/teach'),
  engineEntry('extend', 'add views, hints or a codec to a finished cache', 'stages/extend'),
  engineEntry('train', 'train a student from a cache, from labels, or both', 'stages/train'),
  engineEntry('evaluate', 'measure mAP on a data set', 'stages/evaluate'),
  engineEntry('export', 'write weights in other formats', 'stages/export'),
  entry('distill', 'teach, train and evaluate with one command line', 'src/cli/distill'),
  entry('compare', 'train several methods from one cache and tabulate them', 'src/cli/compare'),
  entry('inspect', 'show what a cache holds', 'src/cli/inspect'),
  entry('verify', 'check every digest of a cache', 'src/cli/verify'),
  engineEntry('repair', 'repair a damaged cache to the byte', 'stages/repair'),
  entry('gc', 'remove caches that were not used for long, to keep a budget', 'src/cli/gc'),
  engineEntry('report', 'write the report of a run', 'src/cli/report'),
  entry('doctor', 'say which engines were found, which were refused, and why', 'src/cli/doctor'),
  entry('engine install', 'install the native engine', 'src/cli/engine-install'),
  entry('engine list', 'list installed engines', 'src/cli/engine-list'),
  entry('engine remove', 'remove an installed engine', 'src/cli/engine-remove'),
];

/** The subcommand that `argv` begins with, and the arguments after it. */
export interface Chosen {
  readonly entry: CommandEntry;
  readonly argv: readonly string[];
}

/** Finds the subcommand. Throws E_USAGE for an unknown one, naming the nearest. */
export const chooseCommand = (argv: readonly string[]): Chosen => {
  const [first = '', second = ''] = argv;
  for (const [name, words] of [
    [`${first} ${second}`, 2],
    [first, 1],
  ] as const) {
    const found = COMMANDS.find((candidate) => candidate.name === name);
    if (found !== undefined) return { entry: found, argv: argv.slice(words) };
  }
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  const typed = group.length > 0 && second !== '' && !second.startsWith('-') ? `${first} ${second}` : first;
  const near = nearestName(
    typed,
    COMMANDS.map(({ name }) => name),
  );
  throw new SoftshardError('E_USAGE', {
    message: 'There is no such command.',
    found: `softshard ${typed}`,
    ...(group.length > 0 ? { expected: group.map((name) => `softshard ${name}`).join(', ') } : {}),
    remedy:
      near === undefined || group.length > 0
        ? 'See softshard --help.'
        : `Did you mean softshard ${near}? See softshard --help.`,
  });
};

/** Loads a subcommand's module. Throws E_USAGE when this build lacks it, E_INTERNAL when it exports no command. */
export const loadCommand = async (chosen: CommandEntry): Promise<StepCommand> => {
  const path = modulePath(chosen.module);
  if (!existsSync(path))
    throw new SoftshardError('E_USAGE', {
      message: `The command ${chosen.name} is not part of this build.`,
      where: path,
      remedy: 'In a clone, run npm run build; else install the package again.',
    });
  const module: unknown = await import(pathToFileURL(path).href);
  const command =
    typeof module === 'object' && module !== null && 'command' in module ? module.command : undefined;
  if (!isStepCommand(command))
    throw new SoftshardError('E_INTERNAL', { message: 'A module exports no command.', where: path });
  return command;
};
