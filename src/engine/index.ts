/** Public API of `softshard/engine`. */
export type { BatchNormResult, Conv2dOptions, Engine, EngineInfo, EngineName, EngineOps } from './engine.ts';
export { withGradient, type Save, type WithGradient } from './custom-gradient.ts';
export { portableOps } from './ops/portable.ts';
export {
  describeEngines,
  ENGINE_NAMES,
  openEngine,
  type ChosenEngine,
  type EngineDescription,
  type OpenOptions,
} from './select.ts';
