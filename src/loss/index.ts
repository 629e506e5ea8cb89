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
export { boxCells, focalMasks, type FocalMasks } from './features/box-cells.ts';
export { batchStandard } from './features/batch-standard.ts';
export {
  focalGlobal,
  focalTerms,
  relationTerm,
  type ContextBlocks,
  type FocalGlobalOptions,
} from './features/focal-global.ts';
export { contextBlock, type ContextParameters } from './features/global-context.ts';
export {
  generationMask,
  maskedGeneration,
  type GeneratorParameters,
  type MaskedGenerationOptions,
} from './features/masked-generation.ts';
export { boxWeights, objectnessWeights } from './features/pixel-weights.ts';
export { pearsonDistance } from './features/pearson.ts';
export { resizeFeature } from './features/resize-feature.ts';
export { squaredError } from './features/squared-error.ts';
export { createHardLoss, type HardLossOptions } from './hard-loss.ts';
export {
  HINT_ADAPTERS,
  HINT_KINDS,
  HINT_NORMS,
  HINT_PIXELS,
  pairName,
  type HintAdapter,
  type HintKind,
  type HintNorm,
  type HintPair,
  type HintPixels,
} from './hint-pair.ts';
export { createHintLoss } from './hint.ts';
export { hintParameters, type HintParameter } from './hint-parameters.ts';
export { levelBalance } from './level-balance.ts';
export { bernoulliDivergence } from './bernoulli-divergence.ts';
export {
  classificationOptionsSchema,
  classifierOptionsSchema,
  type ClassificationOptions,
  type ClassifierOptions,
} from './classifier-options.ts';
export {
  classificationWeights,
  createClassificationLoss,
  type ClassificationTarget,
  type ClassificationTerms,
} from './classification-loss.ts';
export { decoupledTargets, type DecoupledOptions } from './decoupled-targets.ts';
export { blockSuppression, featureMapNms } from './feature-map-nms.ts';
export { createDecodedOutputLoss, type DecodedOutputLossOptions } from './output-decoded.ts';
export { createKlOutputLoss } from './output-kl.ts';
export { createL2OutputLoss } from './output-l2.ts';
export { createPseudoLabelLoss, type PseudoLabelLossOptions } from './output-pseudo.ts';
export { createSplitOutputLoss, type SplitForm, type SplitOutputLossOptions } from './output-split.ts';
export { pseudoLabels, pseudoLabelOptions, type HostHead, type PseudoLabelOptions } from './pseudo-labels.ts';
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
