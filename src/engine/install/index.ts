/** Provisioning of the native engine. */
export { softshardHome } from './home.ts';
export { findNativeEngine, isFound, listEngines } from './native-engine.ts';
export type { MissingEngine, NativeEngine } from './native-engine.ts';
export { ensureNativeEngine, isOffline } from './ensure-engine.ts';
export type { EnsureOptions } from './ensure-engine.ts';
export { installEngine } from './install-engine.ts';
export type { InstallOptions, InstallResult } from './install-engine.ts';
export { removeEngine } from './remove-engine.ts';
