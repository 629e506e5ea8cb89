import type { OutputOptions } from './distillation-options.ts';
import type { Loss } from './loss.ts';
import { createL2OutputLoss } from './output-l2.ts';
import { createSoftOutputLoss } from './output-soft.ts';

/** The output loss that `options` name; undefined where outputs are not distilled. */
export function createOutputLoss({
  kind,
  temperature,
}: Pick<OutputOptions, 'kind' | 'temperature'>): Loss | undefined {
  switch (kind) {
    case 'soft':
      return createSoftOutputLoss({ temperature });
    case 'l2':
      return createL2OutputLoss();
    case 'none':
      return undefined;
  }
}
