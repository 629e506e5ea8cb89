/** Which part of a data set a model is measured on when nobody says. */
import type { Split } from '../data/dataset-description.ts';
import { datasetSplits } from '../data/read-dataset.ts';

/** val where there is one, else test, else train, else everything. Throws E_DATA_YAML. */
export async function evaluationSplit(data: string): Promise<Split> {
  const splits = await datasetSplits(data);
  return (['val', 'test', 'train'] as const).find((split) => splits.includes(split)) ?? 'all';
}
