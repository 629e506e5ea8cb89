/** What a cache will hold, once the error of its heads' codec is known: its extent, and what was measured. */
import type { ViewDecoder } from '../augment/view-decoder.ts';
import { codecSpec } from '../cache/codec.ts';
import type { Extent } from '../cache/extent.ts';
import type { JsonRecord } from '../cache/identity.ts';
import type { ErrorBounds } from '../codec-error/choose-parameters.ts';
import type { Plan, ViewKey } from '../data/plan.ts';
import type { ViewRecord } from '../data/view.ts';
import type { EngineOps } from '../engine/engine.ts';
import { createInference } from '../model/inference.ts';
import { answerCodec, isSparse } from './answer-codec.ts';
import { HEADS_KIND } from './answers.ts';
import { errorStudent } from './error-student.ts';
import type { LoadedTeacher } from './load-teacher.ts';
import { engineTeacher, type RunningTeacher } from './running-teacher.ts';
import { settleCodec } from './settle-codec.ts';

export interface SettleAnswersOptions {
  readonly options: {
    readonly errorViews: number;
    readonly errorStudent?: string | undefined;
    readonly seed: number;
    readonly imgsz: number;
  };
  readonly extent: Extent;
  readonly bounds: ErrorBounds | undefined;
  /** Whether the cache is there already: then all is settled. */
  readonly begun: boolean;
  readonly plan: Plan;
  readonly teacher: LoadedTeacher;
  readonly running: Pick<RunningTeacher, 'answer'>;
  /** Asked for where something is measured. */
  readonly ops: () => Promise<EngineOps>;
  readonly decoder: Pick<ViewDecoder, 'decode'>;
  readonly recordOf: (key: ViewKey) => ViewRecord;
  readonly signal: AbortSignal;
  info(message: string): void;
}

/** Views of a search where none were asked for. */
const LEAST_VIEWS = 1;

/**
 * Measures the error of the heads' codec, where it is `sparse`, and puts the parameters that bounds demand into the
 * extent. Throws as `settleCodec` and `errorStudent` do.
 */
export async function settleAnswers(
  input: SettleAnswersOptions,
): Promise<{ readonly extent: Extent; readonly measured?: JsonRecord }> {
  const { options, extent, bounds, begun, plan, teacher, running, decoder, recordOf, signal } = input;
  const { errorViews, seed, imgsz } = options;
  const spec = extent.answers.find(({ kind }) => kind === HEADS_KIND)?.codec;
  // Detections have a codec of their own, which leaves nothing to settle.
  if (spec === undefined) return { extent };
  const wanted = bounds !== undefined || (isSparse(spec) && errorViews > 0);
  if (begun || !wanted) return { extent };
  const named = await errorStudent(options.errorStudent, teacher, seed);
  const ops = await input.ops();
  const student = createInference(named.graph, named.state, ops);
  const count = Math.max(LEAST_VIEWS, errorViews);
  input.info(`measuring the error of ${answerCodec(spec).name} over at most ${count} views`);
  try {
    const { codec, measured } = await settleCodec({
      ...{ spec, bounds, ops, head: teacher.head, imgsz },
      views: {
        ...{ plan, count, seed, recordOf, decoder, signal, teacher: running },
        ...{ student: engineTeacher(student, []), levels: teacher.head.strides.length },
      },
      student: options.errorStudent ?? `initial student of seed ${seed}`,
    });
    const answers = extent.answers.map((answer) =>
      answer.kind === HEADS_KIND ? { ...answer, codec: codecSpec(codec) } : answer,
    );
    input.info(`heads in ${codecSpec(codec)}`);
    return { extent: { ...extent, answers }, ...(measured === undefined ? {} : { measured }) };
  } finally {
    student.dispose();
  }
}
