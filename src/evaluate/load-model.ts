/** From a weight file to a model that can be run: what teaching, evaluation and export begin with. */
import { stat } from 'node:fs/promises';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import { buildGraph, type ModelGraph } from '../model/graph.ts';
import { createInference, type InferenceModel, type InferenceOptions } from '../model/inference.ts';
import { checkModelYaml, readModelYaml, type ModelYaml } from '../model/model-yaml.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { loadWeights, type LoadedWeights, type WeightsFormat } from '../weights/load.ts';
import { graphTensors } from '../weights/graph-tensors.ts';
import { transferWeights } from '../weights/transfer.ts';

export interface LoadModelOptions {
  /** A `.pt` file, safetensors, or a checkpoint of Softshard. */
  readonly weights: string;
  /** Model yaml, or the name of a built-in one. Needed where the file holds no description; goes before it. */
  readonly cfg?: string | undefined;
  /** Class names instead of those of the file. */
  readonly names?: readonly string[] | undefined;
  /** Class names where the file has none. */
  readonly defaultNames?: readonly string[] | undefined;
}

/** A model's graph with all its values, before any engine. */
export interface LoadedModel {
  readonly graph: ModelGraph;
  /** Every entry of the graph that the file has: float32, counters of batch norm int64; PyTorch's layout. */
  readonly state: StateDict;
  /** Class names, by index; the indices as text where nothing names them. */
  readonly names: readonly string[];
  /** Whether the file or an option named the classes. */
  readonly namesKnown: boolean;
  readonly format: WeightsFormat;
  /** Size of the weight file. */
  readonly bytes: number;
}

function descriptionOf(loaded: LoadedWeights, options: LoadModelOptions): ModelYaml {
  if (options.cfg !== undefined) return readModelYaml(options.cfg);
  if (loaded.yaml !== undefined) return checkModelYaml(loaded.yaml, options.weights);
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'The weights come without a model description.',
    where: options.weights,
    expected: 'a checkpoint that holds its model, or --cfg with the model yaml',
    found: `${loaded.format}: ${loaded.state.size} tensors, no description`,
    remedy: 'Give the model yaml that the weights belong to with --cfg.',
  });
}

/**
 * Reads weights and builds their graph; every trainable value and statistic must be there. Anchors and the counters
 * of batch norm are taken where the file has them.
 *
 * Throws E_FILE, E_WEIGHTS_FORMAT, E_WEIGHTS_UNSAFE, E_MODEL_YAML, E_WEIGHTS_TRANSFER (listing the keys).
 */
export async function loadModel(options: LoadModelOptions): Promise<LoadedModel> {
  const { weights } = options;
  const loaded = await loadWeights(weights);
  const known = options.names ?? loaded.names ?? options.defaultNames;
  const graph = buildGraph(descriptionOf(loaded, options), {
    ...(known === undefined ? {} : { names: known }),
    where: options.cfg ?? weights,
  });
  const tensors = graphTensors(loaded, graph, weights);
  const wanted = graph.entries.filter(
    ({ name, role }) => (role !== 'batches' && role !== 'anchors') || tensors.has(name),
  );
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape] as const));
  const { state } = transferWeights(tensors, shapes, 'full', { where: weights });
  const { size } = await stat(weights);
  return {
    graph,
    state,
    names: graph.head.names,
    namesKnown: known !== undefined,
    format: loaded.format,
    bytes: size,
  };
}

/** A loaded model that runs on an engine. */
export interface LoadedInference extends LoadedModel {
  /** The caller disposes it. */
  readonly model: InferenceModel;
}

/** As `loadModel`, with its values on the engine, batch norms folded in unless `fold` is false. */
export async function loadInference(
  options: LoadModelOptions & InferenceOptions & { readonly engine: Engine },
): Promise<LoadedInference> {
  const loaded = await loadModel(options);
  const { fold = true } = options;
  return { ...loaded, model: createInference(loaded.graph, loaded.state, options.engine.ops, { fold }) };
}
