/** A model of a few filters with known names, and weight files of it. */
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { buildGraph, type ModelGraph } from '../../src/model/graph.ts';
import { checkModelYaml } from '../../src/model/model-yaml.ts';
import type { TensorData } from '../../src/model/tensor-data.ts';
import { initialState } from '../../src/model/initial-state.ts';
import { checkpointMetadata } from '../../src/weights/checkpoint-metadata.ts';
import type { PlainValue } from '../../src/weights/plain-value.ts';
import { writeSafetensors } from '../../src/weights/safetensors.ts';

export const TINY_DESCRIPTION: PlainValue = {
  nc: 2,
  depth_multiple: 1,
  width_multiple: 1,
  anchors: [
    [12, 12, 16, 16],
    [24, 24, 32, 32],
  ],
  backbone: [
    [-1, 1, 'Conv', [8, 6, 2, 2]],
    [-1, 1, 'Conv', [8, 3, 2]],
    [-1, 1, 'C3', [8]],
    [-1, 1, 'Conv', [16, 3, 2]],
    [-1, 1, 'Conv', [16, 3, 2]],
  ],
  head: [[[3, 4], 1, 'Detect', ['nc', 'anchors']]],
};

export const TINY_NAMES = ['red', 'green'];

export const tinyGraph = (): ModelGraph =>
  buildGraph(checkModelYaml(TINY_DESCRIPTION, 'tiny'), { names: TINY_NAMES });

/** Random values: PyTorch's initialisation, seed 0. */
export const tinyState = (): Map<string, TensorData> => initialState(tinyGraph(), 0);

/** Writes a checkpoint of the tiny model, and its yaml where `cfg` names a file. */
export async function writeTinyModel(file: string, cfg?: string): Promise<void> {
  const { head } = tinyGraph();
  const { strides, names } = head;
  await writeSafetensors(file, tinyState(), checkpointMetadata({ yaml: TINY_DESCRIPTION, names, strides }));
  if (cfg !== undefined) await writeFile(cfg, stringify(TINY_DESCRIPTION));
}
