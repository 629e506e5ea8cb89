/** `softshard doctor`: what this machine can train with, and why not with more. */
import { existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import sharp from 'sharp';
import { z } from 'zod';
import type { EngineName } from '../engine/engine.ts';
import { freeBytes, glibcVersion } from '../engine/install/requirements.ts';
import { softshardHome } from '../engine/install/index.ts';
import { passed, runSelfTest } from '../engine/run-self-test.ts';
import { describeEngines } from '../engine/select.ts';
import { EXIT } from '../errors.ts';
import { stepEnvironment } from '../flow/step-environment.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

/** One engine on this machine. */
export interface EngineDiagnosis {
  readonly name: EngineName;
  /** Whether it was loaded and its gradients are right. */
  readonly found: boolean;
  /** What it is, or why it was refused. */
  readonly reason: string;
  readonly device?: string;
  readonly threads?: number;
  /** Largest relative error of a gradient against float64. */
  readonly gradientError?: number;
  /** Speed of a 3x3 convolution forward and backward, GFLOP/s. */
  readonly gflops?: number;
}

/** What `softshard doctor --json` prints. Sizes are in bytes. */
export interface Diagnosis {
  readonly engines: readonly EngineDiagnosis[];
  /** Whether an engine that can train (cpu is for tests only) was found. */
  readonly canTrain: boolean;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly glibc: string | null;
  readonly sharp: string;
  readonly libvips: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** What this process was started with; a step sets its own (shown by its provenance). */
  readonly glibcTunables: string | null;
  readonly onednnMaxCpuIsa: string;
  readonly home: string;
  readonly homeExists: boolean;
  readonly freeDiskBytes: number;
}

/** Loads and tests every engine, one after another, each in a process of its own with the environment of a step. */
const diagnoseEngines = async (signal?: AbortSignal): Promise<readonly EngineDiagnosis[]> => {
  const environment = stepEnvironment(process.env, { threads: availableParallelism(), isa: 'default' });
  const engines: EngineDiagnosis[] = [];
  for (const { name, available, reason } of describeEngines()) {
    const outcome = available ? await runSelfTest(name, environment, signal) : { refused: reason };
    signal?.throwIfAborted();
    engines.push(
      passed(outcome)
        ? {
            name,
            found: true,
            reason,
            device: outcome.device,
            threads: outcome.threads,
            gradientError: outcome.gradientError,
            gflops: outcome.gflops,
          }
        : { name, found: false, reason: outcome.refused },
    );
  }
  return engines;
};

/** Looks at the machine and tests its engines. */
export const diagnose = async (signal?: AbortSignal): Promise<Diagnosis> => {
  const engines = await diagnoseEngines(signal);
  const home = softshardHome();
  return {
    engines,
    canTrain: engines.some(({ name, found }) => found && name !== 'cpu'),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    glibc: glibcVersion() ?? null,
    sharp: sharp.versions.sharp,
    libvips: sharp.versions.vips,
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    glibcTunables: process.env['GLIBC_TUNABLES'] ?? null,
    onednnMaxCpuIsa: process.env['ONEDNN_MAX_CPU_ISA'] ?? 'default',
    home,
    homeExists: existsSync(home),
    freeDiskBytes: freeBytes(home),
  };
};

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

const engineText = ({ found, reason, device, threads, gradientError, gflops }: EngineDiagnosis): string =>
  found
    ? [
        `found: ${reason}`,
        `${device ?? ''}, ${threads ?? 1} ${threads === 1 ? 'thread' : 'threads'}`,
        `gradients right to ${(gradientError ?? NaN).toExponential(0)}`,
        `${(gflops ?? NaN).toPrecision(2)} GFLOP/s`,
      ].join(' | ')
    : `refused: ${reason}`;

/** The diagnosis as a table. */
export const diagnosisText = (d: Diagnosis): string => {
  const engines = d.engines.map((engine) => [engine.name, engineText(engine)]);
  const rows = [
    ...engines,
    ['node', `${d.node} (V8 ${d.v8}), ${d.platform}${d.glibc === null ? '' : `, glibc ${d.glibc}`}`],
    ['sharp', `${d.sharp} (libvips ${d.libvips})`],
    ['processors', String(d.processors)],
    ['memory', `${gigabytes(d.memoryBytes)}, ${gigabytes(d.freeMemoryBytes)} free`],
    ['tunables', d.glibcTunables ?? 'none here; each step sets its own'],
    ['oneDNN', `instruction set ${d.onednnMaxCpuIsa}`],
    ['home', `${d.home}${d.homeExists ? '' : ' (not there yet)'}`],
    ['disk', `${gigabytes(d.freeDiskBytes)} free`],
  ];
  const verdict = d.canTrain ? 'Training is possible.' : 'No engine that can train was found.';
  return [...rows.map(([name, text]) => `${(name ?? '').padEnd(12)}${text ?? ''}`), verdict].join('\n');
};

export const command = defineStep({
  name: 'doctor',
  summary:
    'Loads and tests every engine: which were found, which were refused and why. Ends with 1 when none can train.',
  environment: 'none',
  options: z.strictObject({}),
  run: (_options, { signal }) => diagnose(signal),
  describe: diagnosisText,
  exitCode: ({ canTrain }) => (canTrain ? EXIT.ok : EXIT.failure),
});

stepMain(import.meta.url, command);
