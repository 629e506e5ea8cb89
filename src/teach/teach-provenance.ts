import type { Provenance } from '../cache/identity.ts';
import type { decoderVersions } from '../data/decoder-versions.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { EngineOpener, LoadedTeacher } from './load-teacher.ts';

/** What computes a teacher. */
export interface TeacherMaker {
  /** For a person, in one line. */
  readonly text: string;
  /** What decides the last bits of its answers, as a manifest carries it. */
  provenance(teachBatch: number, versions: ReturnType<typeof decoderVersions>): Provenance;
}

const engineRecord = (info: EngineInfo): Provenance => ({
  engine: info.name,
  tfjs: info.tfjs,
  tensorflow: info.tensorflow ?? 'none',
  device: info.device,
  threads: info.threads,
  isa: info.isa,
  foldedBatchNorm: true,
});

const maker = (text: string, record: Provenance): TeacherMaker => ({
  text,
  provenance: (teachBatch, versions) => ({
    ...record,
    teachBatch,
    ...versions,
    node: process.version,
    v8: process.versions.v8,
  }),
});

/** The runtime of a foreign graph, else the engine of this process, which is opened. */
export async function teacherMaker(
  { runtime }: Pick<LoadedTeacher, 'runtime'>,
  engine: EngineOpener,
): Promise<TeacherMaker> {
  if (runtime !== undefined) {
    const { engine: name = '', threads = '' } = runtime;
    return maker(`${name} ${runtime[name] ?? ''} on cpu, ${threads} threads`, runtime);
  }
  const { engine: opened, reason } = await engine();
  const { info } = opened;
  return maker(
    `engine ${info.name} on ${info.device} (${reason}), ${info.threads} threads`,
    engineRecord(info),
  );
}
