/** One forward pass of the teacher: decoded views in, what is cached of each out. */
import { encodeView } from '../augment/view-codec.ts';
import { elementsOf, type FloatBlob, type Target } from '../cache/target.ts';
import type { DecodedView } from '../data/view.ts';
import { SoftshardError } from '../errors.ts';
import { DETECTIONS_KIND, headBlob } from './answers.ts';
import type { BatchAnswer, RunningTeacher } from './running-teacher.ts';
import { teacherDetections, type DetectionAnswers } from './teacher-detections.ts';

/** What a teacher said to a batch: who is answered, and the answers to all of them. Plain data that crosses threads. */
export interface AnsweredBatch {
  readonly views: readonly Omit<Target, 'blobs'>[];
  /** As many views as the batch has, the fill behind those above included. */
  readonly answers: readonly BatchAnswer[];
}

/** Views of one size to be answered; their pixels are read before the result resolves. */
export type AskedViews = readonly Pick<DecodedView, 'record' | 'pixels' | 'pixelDigest' | 'labels'>[];

function refuseNonFinite(name: string, { data }: FloatBlob, { sample, view }: Omit<Target, 'blobs'>): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new SoftshardError('E_DIVERGED', {
      message: 'The teacher answered with a value that is not finite.',
      where: `sample ${sample}, view ${view}, ${name}`,
      expected: 'finite logits and features',
      found: String(data[i]),
      remedy: 'Check the teacher: softshard evaluate --weights FILE.',
    });
  }
}

/** Takes the heads out of a view's answers. */
function takeHeads(blobs: Map<string, FloatBlob>, levels: number): FloatBlob[] {
  return Array.from({ length: levels }, (_, level) => {
    const head = blobs.get(headBlob(level));
    if (head === undefined) throw new Error(`no head ${level}`);
    blobs.delete(headBlob(level));
    return head;
  });
}

/** Lets the teacher answer at most `teachBatch` views; what is missing is filled with the last view. */
export async function answerViews(
  teacher: Pick<RunningTeacher, 'answer'>,
  teachBatch: number,
  views: AskedViews,
): Promise<AnsweredBatch> {
  const [first] = views;
  if (first === undefined) return { views: [], answers: [] };
  const { width, height } = first.record;
  const images = Array.from(
    { length: teachBatch },
    (_, i) => (views[Math.min(i, views.length - 1)] ?? first).pixels,
  );
  const answers = await teacher.answer(images, { width, height });
  return {
    views: views.map(({ record, pixelDigest }) => {
      const { sample, view } = record;
      return { sample, view, inputDigest: pixelDigest, record: encodeView(record) };
    }),
    answers,
  };
}

/**
 * The targets of a batch, in order; their blobs are views on the batch's values. Throws E_DIVERGED naming view and blob
 * when a value is not finite.
 *
 * @param detections Given, these stand in the place of the heads.
 */
export const targetsOf = ({ views, answers }: AnsweredBatch, detections?: DetectionAnswers): Target[] =>
  views.map((view, i) => {
    const blobs = new Map<string, FloatBlob>();
    for (const { name, shape, values } of answers) {
      const size = elementsOf(shape);
      const blob: FloatBlob = { shape, data: values.subarray(i * size, (i + 1) * size) };
      refuseNonFinite(name, blob, view);
      blobs.set(name, blob);
    }
    if (detections !== undefined) {
      const heads = takeHeads(blobs, detections.head.strides.length);
      blobs.set(DETECTIONS_KIND, teacherDetections(heads, detections));
    }
    return { ...view, blobs };
  });
