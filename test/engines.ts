/** The engines that tests run on: always wasm, and the native one where it is installed. */
import { describeEngines } from '../src/engine/select.ts';
import type { EngineName } from '../src/engine/engine.ts';

export const availableEngines = (): EngineName[] =>
  describeEngines()
    .filter((engine) => engine.available && engine.name !== 'cpu')
    .map((engine) => engine.name);
