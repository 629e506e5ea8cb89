/** Opens the engine of a step. */
import { openEngine, type ChosenEngine } from '../engine/select.ts';
import { chooseEngine, type EngineRecord, type EngineRequest } from './engine-choice.ts';

/**
 * Opens the engine that `chooseEngine` chooses by this process's environment, and says why that one. Throws E_ENGINE
 * when the engine that was named or recorded cannot be used.
 */
export const openStepEngine = async (
  asked: EngineRequest,
  recorded?: EngineRecord,
): Promise<ChosenEngine> => {
  const choice = chooseEngine(asked, recorded, process.env);
  const { engine, reason } = await openEngine(choice.name, { threads: choice.threads });
  return { engine, reason: choice.reason ?? reason };
};
