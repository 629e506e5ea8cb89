/** The native engine if it can be had without a question: what the demo and the tests call before they choose one. */
import { isSoftshardError, reasonOf } from '../../errors.ts';
import { softshardHome } from './home.ts';
import { installEngine } from './install-engine.ts';
import { findNativeEngine, isFound, type MissingEngine, type NativeEngine } from './native-engine.ts';

export interface EnsureOptions {
  /** Takes each line of progress. */
  readonly onMessage?: (line: string) => void;
  /** Forbids the download; by default what `SOFTSHARD_OFFLINE=1` in the environment says. */
  readonly offline?: boolean;
  /** Softshard's home folder; by default from the environment. */
  readonly home?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** Whether the environment forbids downloads: `SOFTSHARD_OFFLINE` is set to anything but `0` or nothing. */
export const isOffline = (environment: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  !['', '0', 'false', undefined].includes(environment['SOFTSHARD_OFFLINE']);

/**
 * Finds the native engine, or installs it. Where that is impossible the reason comes back as one line (and is said
 * through `onMessage`), and the caller goes on with wasm. Rejects only when `signal` aborts.
 */
export const ensureNativeEngine = async (
  options: EnsureOptions = {},
): Promise<NativeEngine | MissingEngine> => {
  const environment = options.environment ?? process.env;
  const home = options.home ?? softshardHome(environment);
  const found = findNativeEngine(home);
  if (isFound(found)) return found;
  try {
    const { engine } = await installEngine({
      home,
      environment,
      offline: options.offline ?? isOffline(environment),
      ...(options.onMessage === undefined ? {} : { onMessage: options.onMessage }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return engine;
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = isSoftshardError(error)
      ? [error.detail.message, error.detail.found === undefined ? '' : `(${error.detail.found})`]
          .join(' ')
          .trim()
      : reasonOf(error);
    options.onMessage?.(`no native engine, going on with wasm: ${reason}`);
    return { missing: reason };
  }
};
