/** The step level: what a pipeline composes. */
export { dataset, weights } from './artefacts.ts';
export type {
  CacheRef,
  Classification,
  DatasetRef,
  Evaluation,
  ExportRef,
  LiveTeacherRef,
  ReportRef,
  RunRef,
  WeightsRef,
} from './artefacts.ts';
export { classificationTable } from './classification-table.ts';
export { comparison } from './comparison.ts';
export { definePipeline } from './define-pipeline.ts';
export { perform } from './perform.ts';
export { classify, crop, evaluate, exportModel, liveTeacher, report, teach, train } from './steps.ts';
export type {
  CropStepOptions,
  EngineChoice,
  EvaluateStepOptions,
  ExportStepOptions,
  ReportStepOptions,
  Step,
  TeachStepOptions,
  TrainStepOptions,
} from './steps.ts';
export { shippedFile } from './shipped-file.ts';
export { methodNeeds, type Method, type MethodNeeds, type MethodStage } from '../method/method.ts';
export { CONTROLS, METHODS, readMethod, type MethodName } from '../method/registry.ts';
export { timedTeach, type TimedCache } from './timed-teach.ts';
export { trainMethod, type MethodStudent, type MethodTraining } from './train-method.ts';
