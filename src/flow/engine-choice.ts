/** Which engine a step opens, and the process it needs: as asked for, else as recorded, else the machine's best. */
import type { EngineName } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import { machineEnvironment, type Environment, type StepEnvironmentOptions } from './step-environment.ts';

/** Variable that names the engine where no option does. */
export const ENGINE_VARIABLE = 'SOFTSHARD_ENGINE';

const NAMES = ['native', 'wasm', 'cpu'] as const satisfies readonly EngineName[];

const isEngineName = (value: unknown): value is EngineName => NAMES.some((name) => name === value);

/** What began a cache or a run, as its provenance says. */
export interface EngineRecord extends StepEnvironmentOptions {
  readonly name: EngineName;
}

/** What options ask for; the rest is chosen. */
export interface EngineRequest {
  readonly engine?: EngineName | undefined;
  readonly threads?: number | undefined;
}

export interface EngineChoice extends StepEnvironmentOptions {
  /** The engine to open; undefined for the best there is. */
  readonly name: EngineName | undefined;
  /** Where the name comes from; undefined without one. */
  readonly reason: string | undefined;
}

/** Reads {name, threads, isa} of a provenance; undefined where it names no engine. */
export const engineRecord = (name: unknown, threads: unknown, isa: unknown): EngineRecord | undefined =>
  isEngineName(name)
    ? {
        name,
        threads: typeof threads === 'number' && threads >= 1 ? threads : machineEnvironment().threads,
        isa: typeof isa === 'string' ? isa : 'default',
      }
    : undefined;

const named = (environment: Environment): EngineName | undefined => {
  const value = environment[ENGINE_VARIABLE];
  if (value === undefined || value === '') return undefined;
  if (isEngineName(value)) return value;
  throw new SoftshardError('E_USAGE', {
    message: 'A variable names no engine.',
    where: ENGINE_VARIABLE,
    expected: `one of ${NAMES.join(', ')}`,
    found: value,
  });
};

/**
 * The engine asked for by option or by `SOFTSHARD_ENGINE`; without either that of the record, so that the same
 * command goes on; without a record none. Threads and instruction set likewise, as far as the record is of the same
 * engine. That what was asked for differs from the record is told where provenances are compared.
 *
 * @throws E_USAGE when the variable names no engine.
 */
export const chooseEngine = (
  asked: EngineRequest,
  recorded: EngineRecord | undefined,
  environment: Environment,
): EngineChoice => {
  const fromVariable = asked.engine === undefined ? named(environment) : undefined;
  const name = asked.engine ?? fromVariable ?? recorded?.name;
  // The other engines have one thread, and take the processors for decoding.
  const native = recorded?.name === 'native' && name === 'native' ? recorded : undefined;
  const reason =
    asked.engine !== undefined
      ? 'asked for'
      : fromVariable !== undefined
        ? `named by ${ENGINE_VARIABLE}`
        : recorded && 'as it was begun';
  const { threads, isa } = native ?? machineEnvironment();
  return { name, reason, threads: asked.threads ?? threads, isa };
};
