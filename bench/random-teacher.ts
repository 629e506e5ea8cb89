/** A teacher with random weights: what it says is nonsense, and takes as long as if it were not. */
import { join } from 'node:path';
import { buildGraph } from '../src/model/graph.ts';
import { readModelYaml } from '../src/model/model-yaml.ts';
import { initialState } from '../src/model/initial-state.ts';
import { writeSafetensors } from '../src/weights/safetensors.ts';

/** Writes the weights of a built-in description (`yolov5m.yaml`, 80 classes) into `folder` and returns their path. */
export const randomTeacher = async (folder: string, config: string): Promise<string> => {
  const file = join(folder, `${config}.safetensors`);
  const state = [...initialState(buildGraph(readModelYaml(config)), 0)];
  await writeSafetensors(file, new Map(state.filter(([, { dtype }]) => dtype === 'float32')));
  return file;
};
