/** Finds and loads a pipeline: a TypeScript or JavaScript file that exports a step as `command`. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SoftshardError, isSoftshardError } from '../errors.ts';
import { modulePath, packageRoot, runsFromSource } from '../flow/script-path.ts';
import { isStepCommand, type StepCommand } from '../flow/step-command.ts';

const shippedFolder = join(packageRoot, 'pipelines');

/** Names of the pipelines that come with the package. */
export const shippedPipelines = (): readonly string[] =>
  existsSync(shippedFolder)
    ? readdirSync(shippedFolder)
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
        .map((file) => basename(file, '.ts'))
        .sort()
    : [];

/**
 * The file that PIPELINE means: a path, else the name of a shipped pipeline (`shapes`, also `pipelines/shapes.ts`).
 *
 * @throws E_PIPELINE when there is neither.
 */
export const findPipeline = (pipeline: string): string => {
  const path = resolve(pipeline);
  const name = basename(pipeline, extname(pipeline));
  const shipped = modulePath(`pipelines/${name}`);
  const namesShipped = [name, `pipelines/${name}`, `pipelines/${name}.ts`].includes(pipeline);
  // The source of a shipped pipeline lies in an installed package, too, but only its compiled form runs there.
  const isShippedSource = !runsFromSource && path === join(shippedFolder, `${name}.ts`);
  if ((namesShipped || isShippedSource) && existsSync(shipped) && (isShippedSource || !existsSync(path)))
    return shipped;
  if (['.ts', '.mts', '.js', '.mjs'].includes(extname(path)) && existsSync(path)) return path;
  throw new SoftshardError('E_PIPELINE', {
    message: 'There is no such pipeline.',
    found: pipeline,
    expected: `a file (.ts, .mts, .js, .mjs), or one of: ${shippedPipelines().join(', ')}`,
  });
};

const propertyOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

const load = async (file: string): Promise<unknown> => {
  // In a source tree the loader is already there.
  if (!runsFromSource && /\.m?ts$/.test(file)) {
    // Both: in a project without "type": "module" a TypeScript file counts as CommonJS.
    const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
    esm.register();
    cjs.register();
  }
  return import(pathToFileURL(file).href);
};

/** The E_PIPELINE error of a pipeline file, with the first lines of what was thrown. */
export const pipelineFailure = (message: string, file: string, error: unknown): SoftshardError =>
  new SoftshardError('E_PIPELINE', {
    message,
    where: file,
    found:
      error instanceof Error
        ? (error.stack ?? error.message).split('\n').slice(0, 4).join('\n            ')
        : String(error),
    cause: error,
  });

/** Loads a pipeline's command. Throws E_PIPELINE when the file cannot be loaded, throws, or exports none. */
export const loadPipeline = async (file: string): Promise<StepCommand> => {
  let module: unknown;
  try {
    module = await load(file);
  } catch (error) {
    if (isSoftshardError(error)) throw error;
    throw pipelineFailure('The pipeline file cannot be loaded.', file, error);
  }
  // What a CommonJS file exports may stand under `default` alone.
  for (const exported of [module, propertyOf(module, 'default')]) {
    const command = propertyOf(exported, 'command');
    if (isStepCommand(command)) return command;
  }
  throw new SoftshardError('E_PIPELINE', {
    message: 'The pipeline file exports no command.',
    where: file,
    expected: 'export const command = defineStep({ name, summary, options, run })',
  });
};
