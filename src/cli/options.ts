/** A command's options: one zod schema is their type, their validation and their help. */
import type { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { optionSpecs, type OptionSpec } from './option-spec.ts';
import { parseArgv } from './parse-argv.ts';

/** Options that were read, or the wish for help. */
export type ParsedOptions<T> = { readonly help: true } | { readonly help: false; readonly options: T };

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );

const failure = (error: z.ZodError, values: unknown, specs: readonly OptionSpec[]): SoftshardError => {
  const [issue] = error.issues;
  const [key, ...inner] = issue?.path ?? [];
  const spec = specs.find((candidate) => candidate.key === key);
  const found = at(values, issue?.path ?? []);
  if (spec?.isRequired === true && inner.length === 0 && found === undefined)
    return new SoftshardError('E_USAGE', {
      message: `${spec.isPositional ? `The argument ${spec.placeholder}` : `The option --${spec.name}`} is missing.`,
      expected: spec.description,
      remedy: 'See --help.',
    });
  return new SoftshardError('E_USAGE', {
    message:
      spec === undefined
        ? (issue?.message ?? 'The options do not fit together.')
        : 'An option has a wrong value.',
    ...(spec === undefined
      ? {}
      : {
          where: [`--${spec.name}`, ...inner.map(String)].join('.'),
          expected: spec.expected === '' || inner.length > 0 ? (issue?.message ?? '') : spec.expected,
          found: shown(found),
        }),
    remedy: 'See --help.',
    cause: error,
  });
};

/**
 * Validates plain values (camelCase keys) by a command's schema.
 *
 * @throws E_USAGE naming the option, what is expected and what was found.
 */
export const validateOptions = <S extends z.ZodType>(schema: S, values: unknown): z.output<S> => {
  const result = schema.safeParse(values);
  if (!result.success) throw failure(result.error, values, optionSpecs(schema));
  return result.data;
};

/** Reads a command's options from its arguments. Throws E_USAGE as `parseArgv` and `validateOptions` do. */
export const parseOptions = <S extends z.ZodType>(
  schema: S,
  argv: readonly string[],
): ParsedOptions<z.output<S>> => {
  const { values, help } = parseArgv(optionSpecs(schema), argv);
  return help ? { help } : { help, options: validateOptions(schema, values) };
};
