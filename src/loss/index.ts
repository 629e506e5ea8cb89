/** Losses, their options and their sum. A loss is `(student, target, context) => { term: Scalar }`. */
export type { Gains, Loss, LossContext, LossTarget, LossTerms, TeacherTarget } from './loss.ts';
export { assignTargets, type AssignedRows, type GridSize } from './assign-targets.ts';
export { binaryCrossEntropy, type BinaryCrossEntropyOptions } from './binary-cross-entropy.ts';
export { boxOverlap, ciou, type OverlapKind } from './box-overlap.ts';
export { checkDistillation, type DistillationParty } from './check-distillation.ts';
export { checkHeads } from './check-heads.ts';
export { decodeBoxes } from './decode-boxes.ts';
export {
  distillationOptions,
  distillationOptionsSchema,
  hintOptionsSchema,
  outputOptionsSchema,
  parseDistillationOptions,
  scheduleSchema,
  type DistillationOptions,
  type HintOptions,
  type OutputOptions,
} from './distillation-options.ts';
export { absoluteError } from './features/absolute-error.ts';
export { attentionTransfer } from './features/attention-transfer.ts';
export { channelWise } from './features/channel-wise.ts';
export { cosineDistance } from './features/cosine-distance.ts';
export { pearsonDistance } from './features/pearson.ts';
export { resizeFeature } from './features/resize-feature.ts';
export { squaredError } from './features/squared-error.ts';
export { createHardLoss, type HardLossOptions } from './hard-loss.ts';
export {
  createHintLoss,
  HINT_ADAPTERS,
  HINT_KINDS,
  pairName,
  type HintAdapter,
  type HintKind,
  type HintPair,
} from './hint.ts';
export { levelBalance } from './level-balance.ts';
export { createL2OutputLoss } from './output-l2.ts';
export { createSoftOutputLoss, type SoftOutputLossOptions } from './output-soft.ts';
export { createOutputLoss } from './output.ts';
export { scaleGains, type GainScale } from './scale-gains.ts';
export { scheduleFactor, type Schedule } from './schedule.ts';
export {
  crossEntropy,
  hintonLoss,
  softSigmoidTargets,
  softTargets,
  type HintonLossOptions,
  type SoftTargetOptions,
} from './soft-targets.ts';
export { lossWeights, totalLoss, type LossWeights, type TotalLoss, type TotalLossParts } from './total.ts';
