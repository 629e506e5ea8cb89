/** The diagnosis of a machine as text: a table of engines, then what else a training needs. */
import type { Diagnosis, EngineDiagnosis } from './diagnosis.ts';

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

const HEAD = ['engine', 'state', 'version', 'device', 'threads', 'gradients', 'GFLOP/s', 'what, or why not'];

const engineRow = (engine: EngineDiagnosis): string[] => {
  const { name, found, version = '', device = '', threads, gradientError, gflops, reason } = engine;
  return [
    name,
    found ? 'found' : 'refused',
    version,
    device,
    threads === undefined ? '' : String(threads),
    gradientError === undefined ? '' : `to ${gradientError.toExponential(0)}`,
    gflops === undefined ? '' : gflops.toPrecision(2),
    reason,
  ];
};

/** Columns as wide as their widest cell, two spaces apart; the last is as long as it is. */
const aligned = (rows: readonly (readonly string[])[]): string[] => {
  const widths = HEAD.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === HEAD.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};

export const diagnosisText = (d: Diagnosis): string => {
  const rows: readonly (readonly [string, string])[] = [
    ['gpu', d.gpuDriver === null ? `none: ${d.gpuMissing ?? ''}` : `NVIDIA driver ${d.gpuDriver}`],
    ['node', `${d.node} (V8 ${d.v8}), ${d.platform}${d.glibc === null ? '' : `, glibc ${d.glibc}`}`],
    ['sharp', `${d.sharp} (libvips ${d.libvips})`],
    ['threads', `${d.processors}, one a processor; --threads sets another number`],
    ['memory', `${gigabytes(d.memoryBytes)}, ${gigabytes(d.freeMemoryBytes)} free`],
    ['allocator', d.stepGlibcTunables ?? 'the system’s'],
    ['oneDNN', `instruction set ${d.onednnMaxCpuIsa}`],
    ['home', `${d.home}${d.homeExists ? '' : ' (not there yet)'}`],
    ['disk', `${gigabytes(d.freeDiskBytes)} free`],
  ];
  const verdict =
    d.used === null
      ? 'No engine that can train was found.'
      : `Training is possible. Without --engine it runs on ${d.used}.`;
  return [
    ...aligned([HEAD, ...d.engines.map(engineRow)]),
    '',
    ...rows.map(([name, text]) => `${name.padEnd(11)}${text}`),
    '',
    verdict,
  ].join('\n');
};
