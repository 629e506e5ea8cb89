/** The description of a run's student: a yaml that is named, or that of the weights it begins with. */
import { buildGraph } from '../model/graph.ts';
import { headWithAnchors } from '../model/inference.ts';
import { checkModelYaml, readModelYaml, type ModelYaml } from '../model/model-yaml.ts';
import { loadWeights } from '../weights/load.ts';
import { graphTensors } from '../weights/graph-tensors.ts';
import { toFloat32 } from '../weights/tensor-bytes.ts';

/** What a run trains where neither a description nor weights are named. */
export const DEFAULT_STUDENT = 'yolov5p.yaml';

/**
 * `cfg` where it is named; else the description in the weights, with the anchors of their values; else yolov5p.
 * Throws E_MODEL_YAML, and as `loadWeights` does.
 */
export async function studentYaml({
  cfg,
  weights,
}: {
  readonly cfg?: string | undefined;
  readonly weights: string;
}): Promise<{ readonly yaml: ModelYaml; readonly where: string }> {
  if (cfg !== undefined) return { yaml: readModelYaml(cfg), where: cfg };
  const loaded = weights === '' ? undefined : await loadWeights(weights);
  if (loaded?.yaml === undefined) return { yaml: readModelYaml(DEFAULT_STUDENT), where: DEFAULT_STUDENT };
  const yaml = checkModelYaml(loaded.yaml, weights);
  const graph = buildGraph(yaml, { where: weights });
  const state = new Map(
    [...graphTensors(loaded, graph, weights)]
      .filter(([key]) => key.endsWith('.anchors'))
      .map(([key, v]) => [key, toFloat32(v)]),
  );
  const { anchors } = headWithAnchors(graph, state);
  return { yaml: { ...yaml, anchors: anchors.map((level) => level.flat()) }, where: weights };
}
