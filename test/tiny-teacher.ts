/** A teacher of random weights for the tiny data set. */
import { join } from 'node:path';
import { parse } from 'yaml';
import { buildGraph } from '../src/model/graph.ts';
import { checkModelYaml } from '../src/model/model-yaml.ts';
import { initialState } from '../src/model/initial-state.ts';
import { checkpointMetadata } from '../src/weights/checkpoint-metadata.ts';
import type { PlainValue } from '../src/weights/plain-value.ts';
import { writeSafetensors } from '../src/weights/safetensors.ts';
import { TINY_MODEL } from './tiny-training.ts';

/** Writes the teacher's checkpoint into `folder` and returns its path. */
export async function makeTinyTeacher(folder: string, seed = 5): Promise<string> {
  const yaml = checkModelYaml(parse(TINY_MODEL), 'tiny');
  const graph = buildGraph(yaml, { names: ['red', 'green'] });
  const file = join(folder, `teacher-${seed}.safetensors`);
  await writeSafetensors(
    file,
    initialState(graph, seed),
    checkpointMetadata({
      yaml: graph.yaml as unknown as PlainValue,
      names: graph.head.names,
      strides: graph.head.strides,
    }),
  );
  return file;
}
