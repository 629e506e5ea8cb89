/** What the flags of `distill` mean as distillation options. */

export interface DistillFlags {
  readonly dOutput: boolean;
  readonly dFeature: boolean;
  readonly outputLoss: 'soft' | 'l2';
  readonly batchSize: number;
}

export interface DistillTerms {
  /** For `--set distill.*` of train. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Layers whose features are cached; none without hints. */
  readonly hints: readonly number[];
  /** The weights in force, a line each. */
  readonly lines: readonly string[];
}

/** Layers that are joined, in teacher and student alike: the backbone's outputs at strides 8, 16 and 32. */
export const HINT_LAYERS = [4, 6, 9] as const;

/**
 * The terms of the flags: `dOutput` the outputs, `dFeature` the outputs and hints, neither the outputs. The weight of
 * `l2` is 10 / batch size, as the first implementation has it; that of `soft` 1, and that of each hint 1 with a
 * trained 1x1 convolution and the mean squared error.
 */
export function distillTerms({ dOutput, dFeature, outputLoss, batchSize }: DistillFlags): DistillTerms {
  const weight = outputLoss === 'l2' ? 10 / batchSize : 1;
  const hints = dFeature ? HINT_LAYERS : [];
  const why = outputLoss === 'l2' ? ` (10 / batch size ${batchSize})` : '';
  return {
    settings: {
      output: { kind: outputLoss, weight },
      ...(dFeature
        ? {
            hints: hints.map((layer) => ({
              ...{ student: layer, teacher: layer, kind: 'mse', adapter: 'conv1x1', weight: 1 },
            })),
          }
        : {}),
    },
    hints,
    lines: [
      ...(dOutput || dFeature ? [] : ['neither --d_output nor --d_feature: distilling the outputs']),
      'hard loss: weight 1',
      `output loss ${outputLoss}: weight ${weight}${why}`,
      ...hints.map((layer) => `hint ${layer} to ${layer} (mse, conv1x1): weight 1`),
    ],
  };
}
