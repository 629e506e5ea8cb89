/** The views over which the error of a codec is measured: keyed, so that anyone measures over the same ones. */
import type { ViewDecoder } from '../augment/view-decoder.ts';
import { floatBlob, type FloatBlob } from '../cache/target.ts';
import type { ErrorView } from '../codec-error/measure-codec.ts';
import { noisyStudent } from '../codec-error/reference-students.ts';
import type { Plan, ViewKey } from '../data/plan.ts';
import type { ViewRecord } from '../data/view.ts';
import { drawKey } from '../random/keyed.ts';
import { permutedIndex } from '../random/permuted-index.ts';
import { answerViews, targetsOf, type AskedViews } from './answer-views.ts';
import { headBlob } from './answers.ts';
import type { RunningTeacher } from './running-teacher.ts';

export interface ErrorViewsOptions {
  readonly plan: Pick<Plan, 'samples' | 'views'>;
  /** Views at most; those of the plan where it has fewer. */
  readonly count: number;
  readonly seed: number;
  readonly recordOf: (key: ViewKey) => ViewRecord;
  readonly decoder: Pick<ViewDecoder, 'decode'>;
  readonly teacher: Pick<RunningTeacher, 'answer'>;
  /** Levels of the heads. */
  readonly levels: number;
  /** The reference student beside the one that is its teacher and noise. */
  readonly student: Pick<RunningTeacher, 'answer'>;
  readonly signal: AbortSignal;
}

/** Sample and view index of the views, in the order in which they are measured. */
export function errorViewKeys(
  { samples, views }: ErrorViewsOptions['plan'],
  count: number,
  seed: number,
): ViewKey[] {
  const key = drawKey(seed, 'error-views');
  const total = samples * views;
  return Array.from({ length: Math.min(count, total) }, (_, i) => {
    const place = permutedIndex(key, total, i);
    return { sample: place % samples, view: Math.floor(place / samples) };
  });
}

/** Decodes the views and lets teacher and student answer, one at a time. */
export async function* errorViews(options: ErrorViewsOptions): AsyncGenerator<ErrorView> {
  const { plan, count, seed, recordOf, decoder, teacher, student, levels, signal } = options;
  const noisy = noisyStudent(seed);
  const headsOf = async (model: Pick<RunningTeacher, 'answer'>, view: AskedViews[number]) => {
    const [target] = targetsOf(await answerViews(model, 1, [view]));
    return Array.from({ length: levels }, (_, level): FloatBlob => {
      if (target === undefined) throw new Error('a view without an answer');
      return floatBlob(target, headBlob(level));
    });
  };
  for (const key of errorViewKeys(plan, count, seed)) {
    const view = await decoder.decode(recordOf(key), signal);
    try {
      const heads = await headsOf(teacher, view);
      yield { teacher: heads, students: [await headsOf(student, view), noisy(heads)] };
    } finally {
      view.release();
    }
  }
}
