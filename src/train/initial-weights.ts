/** The weights that a run begins with: random ones, with those of a file laid over them. */
import { SoftshardError } from '../errors.ts';
import type { ModelGraph } from '../model/graph.ts';
import type { TensorData } from '../model/tensor-data.ts';
import { loadWeights } from '../weights/load.ts';
import { graphTensors } from '../weights/graph-tensors.ts';
import { transferWeights, type Transfer } from '../weights/transfer.ts';
import { initialState } from '../model/initial-state.ts';
import type { TrainOptions } from './train-options.ts';

/** Every entry of the graph. Throws as `loadWeights`, and E_WEIGHTS_TRANSFER where a full transfer is not. */
export async function initialWeights(
  options: TrainOptions,
  graph: ModelGraph,
  context: { info(message: string): void },
): Promise<Map<string, TensorData>> {
  const fresh = initialState(graph, options.seed);
  if (options.weights === '') return fresh;
  const loaded = await loadWeights(options.weights);
  const shapes = new Map(
    graph.entries.filter((e) => e.role !== 'batches').map(({ name, shape }) => [name, shape] as const),
  );
  const source = graphTensors(loaded, graph, options.weights);
  const transferred = (mode: 'full' | 'partial'): Transfer =>
    transferWeights(source, shapes, mode, { excludeAnchors: true, where: options.weights });
  const fitting = transferred('partial');
  // The outputs a class are the part of a detector that another number of classes has to begin anew.
  const isOutput = (key: string): boolean => key.startsWith(`${graph.detect.prefix}.m.`);
  const isFineTuning =
    fitting.missing.length === 0 &&
    loaded.names?.length !== graph.head.nc &&
    fitting.mismatched.every(({ key }) => isOutput(key));
  const { state, missing, mismatched } = isFineTuning ? fitting : transferred(options.transfer);
  if (state.size === 0) {
    throw new SoftshardError('E_WEIGHTS_TRANSFER', {
      message: 'Nothing of the weights fits the model.',
      where: options.weights,
      expected: `keys such as ${[...shapes.keys()].slice(0, 2).join(', ')}`,
      found: [...loaded.state.keys()].slice(0, 2).join(', '),
      remedy: 'Check that weights and --cfg belong together.',
    });
  }
  const anew = missing.length + mismatched.length;
  context.info(
    `${options.weights}: ${state.size} entries taken over${anew > 0 ? `, ${anew} begun anew` : ''}`,
  );
  return new Map([...fresh, ...state]);
}
