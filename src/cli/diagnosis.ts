/** What `softshard doctor` finds out of this machine: its engines, loaded and tested, and what else a training needs. */
import { existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import sharp from 'sharp';
import type { EngineName } from '../engine/engine.ts';
import { findGpu, hasGpu } from '../engine/install/gpu-device.ts';
import { softshardHome } from '../engine/install/index.ts';
import { freeBytes, glibcVersion } from '../engine/install/requirements.ts';
import { passed, runSelfTest } from '../engine/run-self-test.ts';
import { describeEngines } from '../engine/select.ts';
import { machineEnvironment, stepEnvironment } from '../flow/step-environment.ts';

/** One engine on this machine. */
export interface EngineDiagnosis {
  readonly name: EngineName;
  /** Whether it was loaded and its gradients are right. */
  readonly found: boolean;
  /** What it is, or why it was refused. */
  readonly reason: string;
  /** TensorFlow's version of the native engine, TensorFlow.js's of the others. */
  readonly version?: string;
  readonly device?: string;
  readonly threads?: number;
  /** Largest error of a gradient against finite differences in float64, relative to its largest element. */
  readonly gradientError?: number;
  /** Speed of a 3x3 convolution forward and backward, GFLOP/s. */
  readonly gflops?: number;
}

/** What `softshard doctor --json` prints. Sizes are in bytes. */
export interface Diagnosis {
  readonly engines: readonly EngineDiagnosis[];
  /** Whether an engine that can train (cpu is for tests only) was found. */
  readonly canTrain: boolean;
  /** The engine that a step without --engine takes; null where none can train. */
  readonly used: EngineName | null;
  /** Driver of the NVIDIA GPU, or null; and why there is none. */
  readonly gpuDriver: string | null;
  readonly gpuMissing: string | null;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly glibc: string | null;
  readonly sharp: string;
  readonly libvips: string;
  /** Threads that a step computes with unless it is told otherwise. */
  readonly processors: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** What this process was started with. */
  readonly glibcTunables: string | null;
  /** What a step sets, so that large tensors are not handed back to the kernel at every operation; Linux only. */
  readonly stepGlibcTunables: string | null;
  readonly onednnMaxCpuIsa: string;
  readonly home: string;
  readonly homeExists: boolean;
  readonly freeDiskBytes: number;
}

/** Loads and tests every engine, one after another, each in a process of its own with the environment of a step. */
const diagnoseEngines = async (
  environment: Readonly<Record<string, string | undefined>>,
  probeMs: number,
  signal?: AbortSignal,
): Promise<readonly EngineDiagnosis[]> => {
  const described = describeEngines();
  const trainers = described.filter(({ name, available }) => available && name !== 'cpu').length;
  const engines: EngineDiagnosis[] = [];
  for (const { name, available, reason, version } of described) {
    // The plain JavaScript engine is there to check the others; its speed says nothing.
    const share = name === 'cpu' ? 0 : probeMs / Math.max(1, trainers);
    const outcome = available
      ? await runSelfTest(name, environment, { probeMs: share, signal })
      : { refused: reason };
    signal?.throwIfAborted();
    const versioned = version === undefined ? {} : { version };
    if (!passed(outcome)) {
      engines.push({ name, found: false, reason: outcome.refused, ...versioned });
      continue;
    }
    const { device, threads, gradientError, gflops } = outcome;
    engines.push({ name, found: true, reason, ...versioned, device, threads, gradientError, gflops });
  }
  return engines;
};

export interface DiagnoseOptions {
  /** How long speed is measured, in all, milliseconds. */
  readonly probeMs: number;
  readonly signal?: AbortSignal;
}

/** Looks at the machine and tests its engines. */
export const diagnose = async ({ probeMs, signal }: DiagnoseOptions): Promise<Diagnosis> => {
  const environment = stepEnvironment(process.env, machineEnvironment());
  const engines = await diagnoseEngines(environment, probeMs, signal);
  const used = engines.find(({ name, found }) => found && name !== 'cpu');
  const gpu = findGpu();
  const home = softshardHome();
  return {
    engines,
    canTrain: used !== undefined,
    used: used?.name ?? null,
    gpuDriver: hasGpu(gpu) ? gpu.driver : null,
    gpuMissing: hasGpu(gpu) ? null : gpu.missing,
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
    stepGlibcTunables: environment['GLIBC_TUNABLES'] ?? null,
    onednnMaxCpuIsa: process.env['ONEDNN_MAX_CPU_ISA'] ?? 'default',
    home,
    homeExists: existsSync(home),
    freeDiskBytes: freeBytes(home),
  };
};
