import type { OutputOptions } from './distillation-options.ts';
import type { Loss } from './loss.ts';
import { createDecodedOutputLoss } from './output-decoded.ts';
import { createKlOutputLoss } from './output-kl.ts';
import { createL2OutputLoss } from './output-l2.ts';
import { createPseudoLabelLoss } from './output-pseudo.ts';
import { createSoftOutputLoss } from './output-soft.ts';
import { createSplitOutputLoss } from './output-split.ts';
import { pseudoLabelOptions } from './pseudo-labels.ts';

/** The output loss that `options` name; undefined where outputs are not distilled. */
export function createOutputLoss(options: Omit<OutputOptions, 'weight' | 'schedule'>): Loss | undefined {
  const { kind, temperature, suppression = 'neighbourhood', form = 'mended' } = options;
  const sameForm = options.classes === 'softmax' ? 'softmax' : 'sigmoid';
  switch (kind) {
    case 'soft':
      return createSoftOutputLoss({ temperature, classes: sameForm });
    case 'ld': {
      const { boxTemperature = 10 } = options;
      return createSoftOutputLoss({ temperature, classes: sameForm, boxes: 'ld', boxTemperature });
    }
    case 'dkd': {
      const { alpha = 1, beta = 0.25 } = options;
      return createSoftOutputLoss({ temperature, classes: 'decoupled', alpha, beta });
    }
    case 'l2':
      return createL2OutputLoss();
    case 'decoded':
      return createDecodedOutputLoss({ suppression });
    case 'split':
      return createSplitOutputLoss({ form, suppression });
    case 'kl':
      return createKlOutputLoss({ temperature });
    case 'pseudo': {
      const { classes = 'l2', ratio = 0.05 } = options;
      return createPseudoLabelLoss({ temperature, classes, ratio, ...pseudoLabelOptions(options) });
    }
    case 'none':
      return undefined;
  }
}
