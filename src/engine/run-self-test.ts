/** Runs the self-test of an engine in a child process, so that an engine that crashes ends that process alone. */
import { execFile } from 'node:child_process';
import { scriptCommand } from '../flow/script-path.ts';
import type { Environment } from '../flow/step-environment.ts';
import type { EngineName } from './engine.ts';
import { GRADIENT_TOLERANCE, selfTestSchema, type SelfTest } from './self-test.ts';

const TIMEOUT_MS = 60_000;

/** What the engine is worth, or why it cannot be used. */
export type SelfTestOutcome = SelfTest | { readonly refused: string };

export const passed = (outcome: SelfTestOutcome): outcome is SelfTest => !('refused' in outcome);

const lastLine = (text: string): string => text.trim().split('\n').pop() ?? '';

export interface SelfTestOptions {
  /** How long the speed is measured, milliseconds; 500 by default. */
  readonly probeMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Loads and tests one engine. Never rejects: an engine that fails, crashes or hangs is refused with the reason. */
export const runSelfTest = (
  name: EngineName,
  environment: Environment,
  { probeMs = 500, signal }: SelfTestOptions = {},
): Promise<SelfTestOutcome> =>
  new Promise((resolve) => {
    const { file, nodeArguments } = scriptCommand('src/engine/self-test-main');
    execFile(
      process.execPath,
      [...nodeArguments, file, name, String(probeMs)],
      { env: { ...environment }, timeout: TIMEOUT_MS + probeMs, ...(signal === undefined ? {} : { signal }) },
      (error, stdout, stderr) => {
        if (error !== null) {
          const reason = error.killed === true ? `no answer within ${TIMEOUT_MS / 1000} s` : lastLine(stderr);
          resolve({ refused: reason === '' ? error.message : reason });
          return;
        }
        let value: unknown;
        try {
          value = JSON.parse(lastLine(stdout));
        } catch {
          value = undefined;
        }
        const result = selfTestSchema.safeParse(value);
        if (!result.success) resolve({ refused: `the self-test printed no result: ${lastLine(stdout)}` });
        else if (result.data.gradientError > GRADIENT_TOLERANCE)
          resolve({ refused: `its gradients are off by ${result.data.gradientError.toExponential(1)}` });
        else resolve(result.data);
      },
    );
  });
