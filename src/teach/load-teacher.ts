/** The teacher before any engine: its graph, its values, and whether it knows the data's classes. */
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { loadModel } from '../evaluate/load-model.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { ModelGraph } from '../model/graph.ts';
import { headWithAnchors } from '../model/inference.ts';
import type { StateDict } from '../model/tensor-data.ts';

export interface LoadedTeacher {
  readonly graph: ModelGraph;
  readonly state: StateDict;
  /** With the anchors of the weights. */
  readonly head: HeadSpec;
}

export interface TeacherFile {
  readonly weights: string;
  /** Model yaml, for weights that do not hold their description. */
  readonly cfg?: string | undefined;
}

/** Reads a teacher. Throws as `loadModel` does. */
export async function loadTeacher({ weights, cfg }: TeacherFile, dataset: Dataset): Promise<LoadedTeacher> {
  const defaultNames = dataset.namesKnown ? dataset.names : undefined;
  const { graph, state } = await loadModel({ weights, cfg, defaultNames });
  return { graph, state, head: headWithAnchors(graph, state) };
}

/** Throws E_OPTION_CONFLICT when the teacher's classes are not as many as the data set names. */
export function checkTeacherClasses(head: HeadSpec, dataset: Dataset, where: string): void {
  if (!dataset.namesKnown || dataset.names.length === head.nc) return;
  const text = (names: readonly string[]): string =>
    `${names.length} classes (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''})`;
  throw new SoftshardError('E_OPTION_CONFLICT', {
    message: 'The teacher knows other classes than the data set.',
    where,
    expected: text(dataset.names),
    found: text(head.names),
    remedy: 'Use a teacher that was trained on these classes.',
  });
}
