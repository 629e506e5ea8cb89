/** The environment of a process that holds an engine. Most of it is read once, before any JavaScript runs. */
import { availableParallelism } from 'node:os';

/** What decides an engine's bits and its memory's behaviour; recorded as provenance. */
export interface StepEnvironmentOptions {
  /** Threads of one operation, >= 1. Other counts give other bits. */
  readonly threads: number;
  /** Highest instruction set oneDNN may use (`AVX2`, ...), or `default` for the machine's. */
  readonly isa: string;
}

/** What a step computes with unless it is told otherwise: all processors, the machine's instruction set. */
export const machineEnvironment = (): StepEnvironmentOptions => ({
  threads: availableParallelism(),
  isa: 'default',
});

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * glibc hands large blocks back to the kernel and faults them in again at every step; these keep them:
 * blocks up to 4 GiB come from the heap, which gives back nothing below 16 GiB.
 */
const MALLOC: Readonly<Record<string, string>> = {
  'glibc.malloc.mmap_threshold': String(2 ** 32),
  'glibc.malloc.trim_threshold': String(2 ** 34),
};

/** Adds our tunables to those of the user, which keep their order. */
const withMalloc = (tunables: string | undefined): string => {
  const others = (tunables ?? '')
    .split(':')
    .filter((entry) => entry !== '' && !((entry.split('=')[0] ?? '') in MALLOC));
  return [...others, ...Object.entries(MALLOC).map(([name, value]) => `${name}=${value}`)].join(':');
};

/** The variables that an engine's process must have; `undefined` means "must not be set". */
export const engineVariables = (
  base: Environment,
  { threads, isa }: StepEnvironmentOptions,
  platform: string = process.platform,
): Environment => ({
  ...(platform === 'linux' ? { GLIBC_TUNABLES: withMalloc(base['GLIBC_TUNABLES']) } : {}),
  TF_NUM_INTRAOP_THREADS: String(threads),
  TF_NUM_INTEROP_THREADS: '1',
  OMP_NUM_THREADS: String(threads),
  ONEDNN_MAX_CPU_ISA: isa === 'default' ? undefined : isa,
  TF_CPP_MIN_LOG_LEVEL: '2',
  // sharp decodes on libuv's threads.
  UV_THREADPOOL_SIZE: String(Math.max(4, threads)),
});

/** The environment of an engine's process: `base` with the engine's variables. */
export const stepEnvironment = (
  base: Environment,
  options: StepEnvironmentOptions,
  platform: string = process.platform,
): Environment =>
  Object.fromEntries(
    Object.entries({ ...base, ...engineVariables(base, options, platform) }).filter(
      ([, value]) => value !== undefined,
    ),
  );

/** Whether a process with the environment `base` can hold the engine, or must start another. */
export const isStepEnvironment = (
  base: Environment,
  options: StepEnvironmentOptions,
  platform: string = process.platform,
): boolean =>
  Object.entries(engineVariables(base, options, platform)).every(([name, value]) => base[name] === value);
