/** Compiles the binding and tests it, with our own ops in it where that succeeds. */
import { join } from 'node:path';
import { scriptCommand } from '../../flow/script-path.ts';
import type { BindingSource } from './binding-source.ts';
import { compileBinding, linkLibraries } from './compile-binding.ts';
import { nativeOpsSource, type NativeOpsSource } from './native-ops-source.ts';
import { cannotInstall } from './requirements.ts';
import { lastLines, runCommand } from './run-command.ts';

export interface BindingWork {
  readonly compiler: string;
  readonly source: BindingSource;
  /** Engine folder with TensorFlow's `lib/` and `include/`. */
  readonly folder: string;
  readonly log: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
}

/** Loads the engine in a child process, so that a crash is an error of the installation and not of this process. */
const selfTest = async (
  work: BindingWork,
  nativeOps: boolean,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { file, nodeArguments } = scriptCommand('src/engine/install/self-test-main');
  const binding = join(work.folder, 'tfjs_binding.node');
  const { code, output } = await runCommand(
    process.execPath,
    [...nodeArguments, file, binding, work.source.packageFolder, ...(nativeOps ? ['native-ops'] : [])],
    {
      log: work.log,
      environment: { ...work.environment, TF_CPP_MIN_LOG_LEVEL: '2' },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  signal?.throwIfAborted();
  if (code !== 0)
    throw cannotInstall(
      'The compiled engine does not pass its self-test.',
      'Use --engine wasm, and look into the log.',
      lastLines(output),
    );
};

/**
 * Writes `tfjs_binding.node` into the folder, or throws E_ENGINE_INSTALL. Returns the ops that are in it; undefined
 * where they do not compile or do not work.
 */
export const buildBinding = async (
  work: BindingWork,
  signal: AbortSignal | undefined,
): Promise<NativeOpsSource | undefined> => {
  linkLibraries(work.folder);
  const attempt = async (nativeOps: NativeOpsSource | undefined): Promise<void> => {
    work.say(`compiling the binding (about ${nativeOps === undefined ? 10 : 15} s)`);
    await compileBinding({ ...work, nativeOps, ...(signal === undefined ? {} : { signal }) });
    work.say('testing');
    await selfTest(work, nativeOps !== undefined, signal);
  };
  const nativeOps = nativeOpsSource();
  try {
    await attempt(nativeOps);
    return nativeOps;
  } catch {
    signal?.throwIfAborted();
    work.say(
      `training will be slower: Softshard's own ops cannot be compiled or used here (see ${work.log})`,
    );
    await attempt(undefined);
    return undefined;
  }
};
