/**
 * Public API of `softshard`: the words of a pipeline. Losses, the engine and the stages have entry points of their own
 * (`softshard/loss`, `softshard/engine`, `softshard/stages/NAME`), so that this one loads neither an engine nor an
 * image decoder before they are asked for.
 */
import type { Dataset } from './data/sample.ts';
import type { ReadDatasetOptions } from './data/read-dataset.ts';
import type { EngineName } from './engine/engine.ts';
import type { ChosenEngine, OpenOptions } from './engine/select.ts';
import type { RenderedShapes, RenderShapesOptions } from './shapes/render-shapes.ts';

export {
  ERROR_CODES,
  EXIT,
  isSoftshardError,
  SoftshardError,
  toErrorRecord,
  type ErrorCode,
  type ErrorRecord,
  type FailureDetail,
} from './errors.ts';

export { chain, source, workOn, type Source, type Stage, type StageContext, type Work } from './stage.ts';
export { createCredits, type CreditPool, type Lease } from './flow/credits.ts';
export { runUnits, type RunUnitsOptions } from './flow/run-units.ts';

export {
  EVENT_FORMAT,
  type DoneEvent,
  type EpochEvent,
  type FailedEvent,
  type InfoEvent,
  type SoftshardEvent,
  type StartEvent,
  type StepEvent,
  type UnitEvent,
  type WarnEvent,
} from './flow/events.ts';

export { defineStep, executeStep, stepMain } from './flow/step-main.ts';
export type { EventBody, StepCommand, StepContext } from './flow/step-command.ts';
export { followStep, runStep, type RunStepOptions, type StepExit } from './flow/step-process.ts';
export { argvOf, commandLine } from './cli/argv-of.ts';
export * from './pipeline/index.ts';

export { makePlan, type Plan, type PlanOptions, type Unit, type ViewKey } from './data/plan.ts';
export type { BoxLabel, Dataset, Sample } from './data/sample.ts';
export type { ReadDatasetOptions } from './data/read-dataset.ts';
export type { DecodedView, ViewLabel, ViewRecord } from './data/view.ts';

export * from './cache/index.ts';

export type { Gains, Loss, LossContext, LossTarget, LossTerms, TeacherTarget } from './loss/loss.ts';
export type { DistillationOptions, HintOptions, OutputOptions } from './loss/distillation-options.ts';
export type { Forward, HeadSpec } from './model/detector.ts';
export type { InferenceModel } from './model/inference.ts';
export type { ModelGraph } from './model/graph.ts';
export type { ModelYaml } from './model/model-yaml.ts';
export type { LoadedWeights, WeightsFormat } from './weights/load.ts';
export type { DetectionMetrics, EvaluationResult } from './metric/detection-metrics.ts';
export type { Conv2dOptions, Engine, EngineInfo, EngineName, EngineOps } from './engine/engine.ts';
export type { ChosenEngine, OpenOptions } from './engine/select.ts';
export type { RenderedShapes, RenderShapesOptions } from './shapes/render-shapes.ts';

/**
 * Opens the engine asked for, or the best there is; loads it on the first call.
 * Throws E_ENGINE when the engine asked for by name cannot be used.
 */
export const openEngine = async (name?: EngineName, options?: OpenOptions): Promise<ChosenEngine> =>
  (await import('./engine/select.ts')).openEngine(name, options);

/** Reads a data set from disk, every image checked; loads the image decoder on the first call. */
export const readDataset = async (options: ReadDatasetOptions): Promise<Dataset> =>
  (await import('./data/read-dataset.ts')).readDataset(options);

/** Writes a data yaml of which few images keep their labels; see `data/hide-labels.ts`. */
export const hideLabels = async (data: string, count: number, folder: string): Promise<string> =>
  (await import('./data/hide-labels.ts')).hideLabels(data, count, folder);

/** Renders the demo's data set, or finds it; loads the image library on the first call. */
export const renderShapes = async (options: RenderShapesOptions): Promise<RenderedShapes> =>
  (await import('./shapes/render-shapes.ts')).renderShapes(options);

/** Copies a safetensors file with every float32 tensor rounded to float16. */
export const storeHalfWeights = async (from: string, to: string): Promise<void> =>
  (await import('./shapes/half-weights.ts')).storeHalfWeights(from, to);
