import type { decoderVersions } from '../data/decoder-versions.ts';
import type { EngineInfo } from '../engine/engine.ts';

/** What decides the last bits of a teacher's answers, as a manifest carries it. */
export const teachProvenance = (
  info: EngineInfo,
  teachBatch: number,
  versions: ReturnType<typeof decoderVersions>,
): Record<string, string | number | boolean> => ({
  engine: info.name,
  tfjs: info.tfjs,
  tensorflow: info.tensorflow ?? 'none',
  device: info.device,
  threads: info.threads,
  isa: info.isa,
  teachBatch,
  foldedBatchNorm: true,
  ...versions,
  node: process.version,
  v8: process.versions.v8,
});
