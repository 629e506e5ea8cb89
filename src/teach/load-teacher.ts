/** The teacher before it answers: its head, its features, and what identifies it. */
import { availableParallelism } from 'node:os';
import type { Dataset } from '../data/sample.ts';
import type { ChosenEngine } from '../engine/select.ts';
import { SoftshardError } from '../errors.ts';
import { loadModel } from '../evaluate/load-model.ts';
import { openOnnxFile } from '../graph-teacher/onnx-file.ts';
import { openGraphTeacher } from '../graph-teacher/open-graph-teacher.ts';
import { graphFormat } from '../graph-teacher/sniff-graph.ts';
import { openTfjsFile } from '../graph-teacher/tfjs-file.ts';
import type { HeadSpec } from '../model/detector.ts';
import { buildGraph, type ModelGraph } from '../model/graph.ts';
import { createInference, headWithAnchors } from '../model/inference.ts';
import { readModelYaml } from '../model/model-yaml.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { teacherDigest } from '../weights/teacher-digest.ts';
import type { FeatureLayer } from './answer-shapes.ts';
import { featureLayers } from './feature-layers.ts';
import { engineTeacher, type RunningTeacher } from './running-teacher.ts';
import type { TeacherSummary } from './teacher-cache.ts';

export interface LoadedTeacher {
  /** With the anchors of the weights. */
  readonly head: HeadSpec;
  readonly features: readonly FeatureLayer[];
  readonly summary: TeacherSummary;
  /** Its description and values; undefined where it came as a graph of another runtime. */
  readonly model: { readonly graph: ModelGraph; readonly state: StateDict } | undefined;
  /** What computes it, where that is not the engine of this process. */
  readonly runtime: Readonly<Record<string, string | number>> | undefined;
  /** Makes it answer. The caller disposes the teacher that it gives, or calls `close` instead. */
  start(): Promise<RunningTeacher>;
  /** Gives back what loading took. */
  close(): Promise<void>;
}

export interface TeacherOptions {
  /** `.pt`, safetensors, a checkpoint, an ONNX file, or the folder of a TF.js graph model. */
  readonly weights: string;
  /** Model yaml, for weights that do not hold their description. */
  readonly cfg?: string | undefined;
  /** Layers (or tensors of a graph) whose outputs are answered beside the heads. */
  readonly hints: readonly (number | string)[];
  /** Tensors of a graph's raw logits, one a level; found where none are named. */
  readonly heads: readonly string[];
  /** Side of the square views, pixels. */
  readonly imgsz: number;
  /** Threads of a runtime of its own. */
  readonly threads?: number | undefined;
}

/** Opens the engine of this process, once; called when the teacher needs it. */
export type EngineOpener = () => Promise<ChosenEngine>;

async function modelTeacher(
  { weights, cfg, hints, heads }: TeacherOptions,
  defaultNames: readonly string[] | undefined,
  engine: EngineOpener,
): Promise<LoadedTeacher> {
  if (heads.length > 0) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'Only the heads of an ONNX file or a graph model are named.',
      where: '--heads',
      expected: 'no --heads for these weights',
      found: heads.join(','),
    });
  }
  const { graph, state } = await loadModel({ weights, cfg, defaultNames });
  const head = headWithAnchors(graph, state);
  const features = featureLayers(graph, hints);
  return {
    ...{ head, features, model: { graph, state }, runtime: undefined },
    summary: {
      digest: teacherDigest(state, JSON.parse(JSON.stringify(graph.yaml))),
      head,
      layers: graph.layers.map(({ type, module, stride }) => ({
        ...{ type, channels: module.outChannels, stride },
      })),
    },
    start: async () => {
      const model = createInference(graph, state, (await engine()).engine.ops);
      const layers = features.map(({ layer }) => layer);
      return { ...engineTeacher(model, layers), dispose: () => model.dispose() };
    },
    close: () => Promise.resolve(),
  };
}

async function graphTeacher(
  format: 'onnx' | 'tfjs',
  { weights, cfg, hints, heads, imgsz, threads }: TeacherOptions,
  defaultNames: readonly string[] | undefined,
  engine: EngineOpener,
): Promise<LoadedTeacher> {
  const file =
    format === 'onnx'
      ? await openOnnxFile(weights, threads ?? availableParallelism())
      : await openTfjsFile(weights, (await engine()).engine.info);
  const described = cfg === undefined ? undefined : buildGraph(readModelYaml(cfg), { where: cfg }).head;
  const teacher = await openGraphTeacher({
    ...{ file, side: imgsz, heads, hints, described, defaultNames, where: weights },
  });
  const { head, features } = teacher;
  const close = async (): Promise<void> => teacher.dispose();
  return {
    ...{ head, features, model: undefined, close },
    runtime: format === 'onnx' ? file.runtime : undefined,
    summary: {
      ...{ digest: file.digest, format, heads: teacher.heads, head },
      layers: features.map(({ layer, tensor, channels, stride }) => ({
        ...{ layer, type: tensor, channels, stride },
      })),
    },
    start: () => Promise.resolve(teacher),
  };
}

/**
 * Reads a teacher, whatever it comes as. Throws as `loadModel` does, as `openGraphTeacher` does, and E_LOSS for a hint
 * that it does not have.
 */
export async function loadTeacher(
  options: TeacherOptions,
  dataset: Dataset,
  engine: EngineOpener,
): Promise<LoadedTeacher> {
  const defaultNames = dataset.namesKnown ? dataset.names : undefined;
  const format = await graphFormat(options.weights);
  return format === undefined
    ? modelTeacher(options, defaultNames, engine)
    : graphTeacher(format, options, defaultNames, engine);
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
