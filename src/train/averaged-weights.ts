/** The moving average of a training's weights: what is measured, saved and exported. */
import type { TensorData } from '../model/tensor-data.ts';
import { checkpointMetadata } from '../weights/checkpoint-metadata.ts';
import type { PlainValue } from '../weights/plain-value.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import type { PreparedRun } from './prepare-run.ts';
import { stateDictOf, type TrainingState } from './training-state.ts';

/** Reads the average from the device as a state dict in PyTorch's layout. */
export async function averagedState(state: TrainingState): Promise<Map<string, TensorData>> {
  const [weights, statistics] = await Promise.all([
    state.vectors.averagedWeights.data<'float32'>(),
    state.vectors.averagedStatistics.data<'float32'>(),
  ]);
  return stateDictOf(state, weights, statistics, state.counters.iteration);
}

/** Writes a state dict as a checkpoint that says what model it belongs to. Atomic. */
export const writeWeights = (
  file: string,
  run: PreparedRun,
  state: ReadonlyMap<string, TensorData>,
): Promise<void> => {
  const { graph } = run;
  return writeSafetensors(
    file,
    state,
    checkpointMetadata({
      yaml: graph.yaml as unknown as PlainValue,
      names: graph.head.names,
      strides: graph.head.strides,
    }),
  );
};
