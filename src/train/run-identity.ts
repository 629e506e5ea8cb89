/** Everything that decides the result of a run, as plain data: a resumed run must have the same. */
import type { JsonRecord } from '../cache/identity.ts';
import { canonicalJson } from '../text/canonical-json.ts';
import { teacherDigest } from '../weights/teacher-digest.ts';
import type { PreparedRun } from './prepare-run.ts';
import { FREE_OPTIONS } from './train-options.ts';

/** The identity of a run: its options but the free ones, and the digests of data, labels, teacher and weights. */
export function runIdentity(run: Omit<PreparedRun, 'identity'>): JsonRecord {
  const { options, dataset, validation, graph, initial, hyp, augmentation, distillation, cache } = run;
  const free = new Set<string>(FREE_OPTIONS);
  return canonicalJson({
    options: Object.fromEntries(Object.entries(options).filter(([key]) => !free.has(key))),
    data: dataset.digest,
    labels: dataset.labelsDigest,
    validation: validation?.digest ?? null,
    student: graph.yaml,
    names: graph.head.names,
    initial: teacherDigest(initial, {}),
    hyp,
    augmentation,
    ...(run.closeMosaic === 0 ? {} : { closeMosaic: run.closeMosaic }),
    distillation,
    teacher:
      cache === undefined
        ? null
        : {
            digest: cache.teacher.teacherDigest,
            seed: cache.teacher.seed,
            views: cache.teacher.views,
            answers: cache.reader.manifest.extent.answers,
          },
  }) as JsonRecord;
}
