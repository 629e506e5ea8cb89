/** The keys of a hyper-parameter file that steer optimisation and loss. */
import { z } from 'zod';

const atLeast0 = z.number().min(0);
const positive = z.number().positive();
const share = z.number().min(0).max(1);

/**
 * The training keys, under the names YOLOv5 v7.0 gives them. The defaults are those of hyp.scratch-low; gains are
 * before scaling by levels, classes and image size.
 */
export const trainingHypSchema = z.strictObject({
  lr0: positive.default(0.01).describe('Initial learning rate, > 0.'),
  lrf: atLeast0.default(0.01).describe('Final learning rate as a multiple of lr0, >= 0.'),
  momentum: z.number().min(0).lt(1).default(0.937).describe('SGD momentum or Adam beta1, 0 to below 1.'),
  weight_decay: atLeast0.default(0.0005).describe('Weight decay at the nominal batch of 64, >= 0.'),
  warmup_epochs: atLeast0.default(3).describe('Length of the warm-up, epochs, may be fractional, >= 0.'),
  warmup_momentum: share.default(0.8).describe('Momentum at the start of the warm-up, 0…1.'),
  warmup_bias_lr: atLeast0
    .default(0.1)
    .describe('Learning rate of biases at the start of the warm-up, >= 0.'),
  box: atLeast0.default(0.05).describe('Gain of the box loss, >= 0.'),
  cls: atLeast0.default(0.5).describe('Gain of the class loss, >= 0.'),
  cls_pw: positive.default(1).describe('Weight of positives in the class loss, > 0.'),
  obj: atLeast0.default(1).describe('Gain of the objectness loss, >= 0.'),
  obj_pw: positive.default(1).describe('Weight of positives in the objectness loss, > 0.'),
  iou_t: share.default(0.2).describe('Kept for its name; no loss uses it. 0…1.'),
  anchor_t: z.number().min(1).default(4).describe('Largest ratio of box to anchor side for a match, >= 1.'),
  fl_gamma: atLeast0.default(0).describe('Gamma of the focal loss; 0 = off.'),
  label_smoothing: share.default(0).describe('Epsilon of label smoothing, 0…1.'),
  anchors: z.number().min(1).max(10).optional().describe('Anchors a level for new anchors, 1…10, rounded.'),
});

export type TrainingHyp = Readonly<z.infer<typeof trainingHypSchema>>;
