/** Every loss on small inputs, for checks that all of them must pass. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../../src/engine/engine.ts';
import { createClassificationLoss } from '../../src/loss/classification-loss.ts';
import { classificationOptionsSchema } from '../../src/loss/classifier-options.ts';
import { OUTPUT_KINDS, distillationOptions } from '../../src/loss/distillation-options.ts';
import { createHardLoss } from '../../src/loss/hard-loss.ts';
import { HINT_KINDS, WEIGHTED_KINDS, type HintPair } from '../../src/loss/hint-pair.ts';
import { hintParameters } from '../../src/loss/hint-parameters.ts';
import { createHintLoss } from '../../src/loss/hint.ts';
import type { LossContext, LossTarget, LossTerms } from '../../src/loss/loss.ts';
import { createOutputLoss } from '../../src/loss/output.ts';
import { pseudoLabelOptions, pseudoLabels } from '../../src/loss/pseudo-labels.ts';
import { headSpec } from './head-spec.ts';
import { vectorHeads, vectorLabels } from './vectors.ts';

/** A loss of some inputs: the names of its terms never matter, their sum does. */
export interface NamedLoss {
  readonly name: string;
  readonly inputs: () => tf.Tensor[];
  readonly of: (...inputs: tf.Tensor[]) => LossTerms;
}

const wave = (shape: readonly number[], phase: number, scale = 1): tf.Tensor =>
  tf.tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => scale * Math.sin(1.7 * i + phase),
    ),
    [...shape],
  );

/** Teacher heads that see something in some rows. */
const teacherHeads = (): tf.Tensor5D[] => vectorHeads((v) => 2 * v + 3 + Math.sin(7 * v));

/** What the losses learn from: heads, their host copies, a feature [2,4,6,4] of layer 17, labels. */
export function everyTarget(): LossTarget {
  const heads = teacherHeads();
  const host = heads.map((head) => ({ shape: head.shape.slice(1), data: head.dataSync<'float32'>() }));
  return {
    labels: vectorLabels(),
    labelled: [true, true],
    teacher: {
      heads,
      teacherObjectness: host.map(({ data }) =>
        Float32Array.from({ length: data.length / 8 }, (_, i) => data[8 * i + 4] ?? NaN),
      ),
      rows: pseudoLabels(host, 2, headSpec(3), pseudoLabelOptions({})),
      features: new Map([[17, wave([2, 4, 6, 4], 1) as tf.Tensor4D]]),
    },
  };
}

const OUTPUTS: readonly Readonly<Record<string, unknown>>[] = [
  ...OUTPUT_KINDS.filter((kind) => kind !== 'none').map((kind) => ({ kind, temperature: 2 })),
  { kind: 'soft', classes: 'softmax' },
  { kind: 'split', form: 'original' },
  { kind: 'decoded', suppression: 'none' },
  { kind: 'pseudo', classes: 'softmax', temperature: 3 },
  { kind: 'pseudo', classes: 'sigmoid' },
];

const HINTS: readonly Omit<HintPair, 'student' | 'teacher'>[] = [
  ...HINT_KINDS.map((kind) => ({ kind })),
  ...WEIGHTED_KINDS.map((kind) => ({ kind, pixels: 'objectness' as const })),
  { kind: 'mse', pixels: 'boxes' },
  { kind: 'cwd', norm: 'both', temperature: 2 },
  { kind: 'mse', norm: 'student' },
];

/** All losses of heads, features and logits on an engine's operations. Build it after the engine was opened. */
export function everyLoss(ops: EngineOps): NamedLoss[] {
  const head = headSpec(3);
  const base = { ops, head, gains: { box: 0.05, obj: 1, cls: 0.5 } };
  const target = everyTarget();
  const context: LossContext = { ...base, adapt: (_, feature) => tf.clone(feature) };
  // No logit near to one of the teacher's, no activation near to 0: |x| has no derivative there.
  const heads = (): tf.Tensor5D[] => vectorHeads((v) => v + 0.0351);
  const ofHeads = (name: string, loss: ReturnType<typeof createHardLoss>): NamedLoss => ({
    name,
    inputs: heads,
    of: (...inputs) => loss({ heads: inputs as tf.Tensor5D[], features: new Map() }, target, context),
  });
  const outputs = OUTPUTS.flatMap((options) => {
    const loss = createOutputLoss(distillationOptions({ output: options }).output);
    return loss === undefined ? [] : [ofHeads(`output ${JSON.stringify(options)}`, loss)];
  });

  const hints = HINTS.map((options): NamedLoss => {
    const pair = { student: 4, teacher: 17, adapter: 'conv1x1', ...options, fgd: { lambda: 0.001 } };
    const declared = hintParameters(pair, 3, 4);
    return {
      name: `hint ${JSON.stringify(options)}`,
      inputs: () => [wave([2, 4, 6, 3], 0.3), ...declared.map(({ shape }, i) => wave(shape, i + 0.5, 0.3))],
      of: (feature, ...values) => {
        const parts = new Map(declared.map(({ part }, i) => [part, values[i]]));
        const get = (part: string): tf.Tensor => parts.get(part) ?? tf.scalar(NaN);
        return createHintLoss([pair])(
          { heads: [], features: new Map([[4, feature as tf.Tensor4D]]) },
          target,
          {
            ...base,
            adapt: (_, x) =>
              tf.add(ops.conv2d(x, get('weight') as tf.Tensor4D, { stride: 1, padding: 0 }), get('bias')),
            parameter: (_, part) => parts.get(part),
          },
        );
      },
    };
  });

  const classifiers = (['softmax', 'sigmoid', 'dkd'] as const).map((kind): NamedLoss => {
    const loss = createClassificationLoss(classificationOptionsSchema.parse({ kind }), ops);
    const teacher = wave([4, 5], 2, 3) as tf.Tensor2D;
    return {
      name: `classification ${kind}`,
      inputs: () => [wave([4, 5], 0, 2)],
      of: (logits) => {
        const given = { classes: [0, 4, 2, 1], labelled: [true, false, true, true], teacher };
        const { hard, output } = loss(logits as tf.Tensor2D, given);
        return { ...output, hard: hard['cls'] ?? tf.scalar(0) };
      },
    };
  });
  return [ofHeads('hard', createHardLoss()), ...outputs, ...hints, ...classifiers];
}
