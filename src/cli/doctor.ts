/** `softshard doctor`: what this machine can train with, and why not with more. */
import { existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import sharp from 'sharp';
import { z } from 'zod';
import { freeBytes, glibcVersion } from '../engine/install/requirements.ts';
import { softshardHome } from '../engine/install/index.ts';
import { describeEngines, type EngineDescription } from '../engine/select.ts';
import { EXIT } from '../errors.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

/** What `softshard doctor --json` prints. Sizes are in bytes. */
export interface Diagnosis {
  readonly engines: readonly EngineDescription[];
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

/** Looks at the machine; loads no engine. */
export const diagnose = (): Diagnosis => {
  const engines = describeEngines();
  const home = softshardHome();
  return {
    engines,
    canTrain: engines.some(({ name, available }) => available && name !== 'cpu'),
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

/** The diagnosis as a table. */
export const diagnosisText = (d: Diagnosis): string => {
  const engines = d.engines.map(({ name, available, reason, device }) => [
    name,
    `${available ? 'found' : 'refused'}${available && device !== undefined ? ` (${device})` : ''}: ${reason}`,
  ]);
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
    'Says which engines were found, which were refused and why. Ends with 1 when no training could run.',
  environment: 'none',
  options: z.strictObject({}),
  run: () => Promise.resolve(diagnose()),
  describe: diagnosisText,
  exitCode: ({ canTrain }) => (canTrain ? EXIT.ok : EXIT.failure),
});

stepMain(import.meta.url, command);
