import { join } from 'node:path';
import { buildGraph } from '../../src/model/graph.ts';
import { initialState } from '../../src/model/initial-state.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';
import { checkpointMetadata } from '../../src/weights/checkpoint-metadata.ts';
import type { PlainValue } from '../../src/weights/plain-value.ts';
import { writeSafetensors } from '../../src/weights/safetensors.ts';

/** Writes a teacher of random weights, with the description `cfg` and the tiny data's classes, and returns its path. */
export async function randomTeacher(folder: string, cfg: string): Promise<string> {
  const graph = buildGraph(readModelYaml(cfg), { names: ['red', 'green'] });
  const file = join(folder, 'random-teacher.safetensors');
  const { names, strides } = graph.head;
  const yaml = graph.yaml as unknown as PlainValue;
  await writeSafetensors(file, initialState(graph, 5), checkpointMetadata({ yaml, names, strides }));
  return file;
}
