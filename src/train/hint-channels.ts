/** How many channels the layers of a run's two models have. */
import type { PreparedRun } from './prepare-run.ts';

export interface HintChannels {
  /** Output channels of a student's layer, and of a teacher's; 0 for a layer that is none. */
  student(layer: number): number;
  teacher(layer: number): number;
}

export const hintChannels = ({ graph, cache }: Pick<PreparedRun, 'graph' | 'cache'>): HintChannels => ({
  student: (layer) => graph.layers[layer]?.module.outChannels ?? 0,
  teacher: (layer) => cache?.teacher.layerChannels[layer] ?? 0,
});
