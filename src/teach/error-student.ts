/** The reference student that knows nothing yet, or that the user names. */
import { SoftshardError } from '../errors.ts';
import { loadModel } from '../evaluate/load-model.ts';
import { buildGraph, type ModelGraph } from '../model/graph.ts';
import { readModelYaml } from '../model/model-yaml.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { initialState } from '../model/initial-state.ts';

export interface ErrorStudent {
  readonly graph: ModelGraph;
  readonly state: StateDict;
}

/**
 * `named` is a model yaml, whose seeded initial student is taken, or a weight file; without it, the student is the
 * seeded initial one of the teacher's own description. Throws E_USAGE when its heads are not the teacher's, or where a
 * teacher without a description needs a student to be named, and what reading it throws.
 */
export async function errorStudent(
  named: string | undefined,
  teacher: { readonly head: HeadSpec; readonly model: { readonly graph: ModelGraph } | undefined },
  seed: number,
): Promise<ErrorStudent> {
  const { names } = teacher.head;
  const fresh = (graph: ModelGraph): ErrorStudent => ({ graph, state: initialState(graph, seed) });
  if (named === undefined) {
    if (teacher.model !== undefined) return fresh(buildGraph(teacher.model.graph.yaml, { names }));
    throw new SoftshardError('E_USAGE', {
      message:
        'The error of the codec sparse is measured on a student, and this teacher has no description of its own.',
      where: '--error-student',
      expected: 'a model yaml or weights',
      remedy: 'Give --error-student yolov5n.yaml, or measure nothing with --error-views 0.',
    });
  }
  const student = /\.ya?ml$/.test(named)
    ? fresh(buildGraph(readModelYaml(named), { names, where: named }))
    : await loadModel({ weights: named, defaultNames: names });
  const text = ({ na, no, strides }: HeadSpec): string =>
    `${na} anchors, ${no} columns, strides ${strides.join(', ')}`;
  if (text(student.graph.head) !== text(teacher.head)) {
    throw new SoftshardError('E_USAGE', {
      message: 'The student for the error has other heads than the teacher.',
      where: named,
      expected: text(teacher.head),
      found: text(student.graph.head),
    });
  }
  return student;
}
