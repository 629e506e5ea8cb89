/** Several teachers as one: the mean of their raw logits. */
import { sha256Hex } from '../cache/document.ts';
import { SoftshardError } from '../errors.ts';
import { headBlob } from './answers.ts';
import type { LoadedTeacher } from './load-teacher.ts';
import type { BatchAnswer, RunningTeacher } from './running-teacher.ts';

/** The first teacher's answers, with each of its `levels` heads the mean of all teachers' of that name. */
export function averagedAnswers(
  answers: readonly (readonly BatchAnswer[])[],
  levels: number,
): readonly BatchAnswer[] {
  const names = new Set(Array.from({ length: levels }, (_, level) => headBlob(level)));
  const [first = [], ...others] = answers;
  return first.map((answer) => {
    if (!names.has(answer.name)) return answer;
    const same = [answer, ...others.map((other) => other.find(({ name }) => name === answer.name))];
    const values = Float32Array.from(answer.values, (_, i) => {
      const sum = same.reduce((all, one) => all + (one?.values[i] ?? NaN), 0);
      return sum / same.length;
    });
    return { ...answer, values };
  });
}

/** Identifies several teachers, in their order. */
const digestOf = (teachers: readonly LoadedTeacher[]): string =>
  sha256Hex(['softshard-averaged 1', ...teachers.map(({ summary }) => summary.digest)].join('\n'));

async function startAll(teachers: readonly LoadedTeacher[], levels: number): Promise<RunningTeacher> {
  const running: RunningTeacher[] = [];
  for (const teacher of teachers) running.push(await teacher.start());
  return {
    answer: async (images, size) => {
      const answers: (readonly BatchAnswer[])[] = [];
      // One after another: they share an engine.
      for (const teacher of running) answers.push(await teacher.answer(images, size));
      return averagedAnswers(answers, levels);
    },
    dispose: async () => {
      for (const teacher of running) await teacher.dispose();
    },
  };
}

/**
 * `first` as the mean of itself and `others`: heads are averaged as raw logits, features stay its own. All answer every
 * batch. Throws E_LOSS unless classes, anchors, strides and cells of all heads are equal.
 */
export function averagedTeacher(first: LoadedTeacher, others: readonly LoadedTeacher[]): LoadedTeacher {
  if (others.length === 0) return first;
  const shape = ({ head }: LoadedTeacher): string =>
    JSON.stringify([head.nc, head.na, head.strides, head.anchors, head.names]);
  for (const other of others) {
    if (shape(other) === shape(first)) continue;
    throw new SoftshardError('E_LOSS', {
      message: 'Teachers of different heads have no mean.',
      where: '--average-with',
      expected: shape(first),
      found: shape(other),
      remedy: 'Average teachers of the same classes, strides and anchors.',
    });
  }
  const all = [first, ...others];
  return {
    ...first,
    runtime: all.find(({ runtime }) => runtime !== undefined)?.runtime,
    summary: { ...first.summary, digest: digestOf(all) },
    start: () => startAll(all, first.head.strides.length),
    close: async () => {
      for (const teacher of all) await teacher.close();
    },
  };
}
