/**
 * One place words every failure: a stable code, what was expected, what was found, where, and what to do.
 *
 * `docs/errors.md` lists the same codes; a test compares the two.
 */

/** Exit codes of every Softshard process. */
export const EXIT = { ok: 0, failure: 1, usage: 2, sigint: 130, sigterm: 143 } as const;

/** Every code with its meaning. The code is stable across versions; the wording is not. */
export const ERROR_CODES = {
  E_USAGE: 'A command line, option or option value that cannot be used.',
  E_OPTION_CONFLICT: 'Two options, or an option and an artefact, that contradict each other.',
  E_DATA_YAML: 'A data set description that is malformed or names what does not exist.',
  E_DATA_EMPTY: 'A data set, split or unit range that holds no images.',
  E_IMAGE: 'An image that is missing, truncated or not decodable.',
  E_LABEL: 'A label file with a malformed row or a value out of range.',
  E_HYP: 'A hyper-parameter file with an unknown key or a bad value.',
  E_MODEL_YAML: 'A model description with an unknown module or inconsistent arguments.',
  E_WEIGHTS_FORMAT: 'A weight file that is not what its format demands.',
  E_WEIGHTS_UNSAFE: 'A pickle that names a global outside the allow-list. Nothing was executed.',
  E_WEIGHTS_TRANSFER: 'Weights that do not cover the model, or do not fit it.',
  E_CACHE_FORMAT: 'A cache file that is malformed or of an unknown major version.',
  E_CACHE_IDENTITY: 'A cache made from other data, another teacher or another augmentation.',
  E_CACHE_PROVENANCE: 'A cache or run made by another engine, build or thread count than this process has.',
  E_CACHE_CORRUPT: 'Bytes of a cache that disagree with their digest.',
  E_CACHE_INCOMPLETE: 'A cache without the units that this step needs.',
  E_CACHE_LOCKED: 'Another live process writes this cache or run.',
  E_REPLAY_MISMATCH: 'A recomputed unit that differs from the committed one.',
  E_PIXELS: 'Pixels that differ from those the teacher saw.',
  E_CODEC: 'A value that a codec cannot represent, or an unknown codec.',
  E_CREDITS: 'Memory credits too few for one batch and its prefetch.',
  E_DISK_FULL: 'Not enough free space for what is to be written.',
  E_RUN_OPTIONS: 'Options that differ from those of the existing run.',
  E_RUN_MISSING: 'A run or checkpoint that was to be resumed and does not exist.',
  E_LOSS: 'A distillation configuration that does not fit teacher or student.',
  E_DIVERGED: 'A loss or gradient that is not finite.',
  E_ENGINE: 'An engine that cannot be used on this machine.',
  E_ENGINE_INSTALL: 'An engine installation that cannot be completed.',
  E_STEP_FAILED: 'A step of a pipeline that ended with an error.',
  E_PIPELINE: 'A pipeline file that cannot be loaded or that threw.',
  E_EXPORT: 'An exported model that, read back, does not equal its source.',
  E_FILE: 'A file that cannot be read or written.',
  E_ABORTED: 'Work that was cancelled before it was done.',
  E_INTERNAL: 'A state that should not be reachable; please report it.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface FailureDetail {
  /** What went wrong, as one sentence without the details below. */
  readonly message: string;
  /** What would have been right. */
  readonly expected?: string;
  /** What was there instead. */
  readonly found?: string;
  /** File, line, option, tensor or unit. */
  readonly where?: string;
  /** What the user can do about it. */
  readonly remedy?: string;
  /** The error underneath, kept whole. */
  readonly cause?: unknown;
}

/** The plain data of an error, as `--json` and the event stream carry it. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly where?: string;
  readonly remedy?: string;
}

const sentence = (detail: FailureDetail): string =>
  [
    detail.message,
    detail.where === undefined ? undefined : `  where:    ${detail.where}`,
    detail.expected === undefined ? undefined : `  expected: ${detail.expected}`,
    detail.found === undefined ? undefined : `  found:    ${detail.found}`,
    detail.remedy === undefined ? undefined : `  remedy:   ${detail.remedy}`,
  ]
    .filter((line) => line !== undefined)
    .join('\n');

/** Every error that Softshard raises on purpose. `message` is the full text for a person. */
export class SoftshardError extends Error {
  override readonly name = 'SoftshardError';
  readonly code: ErrorCode;
  readonly detail: FailureDetail;

  constructor(code: ErrorCode, detail: FailureDetail) {
    super(sentence(detail), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.detail = detail;
  }

  toJSON(): ErrorRecord {
    const { message, expected, found, where, remedy } = this.detail;
    return {
      code: this.code,
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      ...(where === undefined ? {} : { where }),
      ...(remedy === undefined ? {} : { remedy }),
    };
  }
}

/** Whether `error` is a SoftshardError, of the given code when one is named. */
export const isSoftshardError = (error: unknown, code?: ErrorCode): error is SoftshardError =>
  error instanceof SoftshardError && (code === undefined || error.code === code);

/** The text of anything that was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Rebuilds an error from its plain form, as a parent does with what its child reported. */
export const fromErrorRecord = (record: ErrorRecord): SoftshardError =>
  new SoftshardError(record.code, record);

/** The plain form of anything thrown; what is no SoftshardError becomes E_INTERNAL with its own message. */
export const toErrorRecord = (error: unknown): ErrorRecord =>
  isSoftshardError(error) ? error.toJSON() : { code: 'E_INTERNAL', message: reasonOf(error) };

/** The exit code for anything thrown. */
export const exitCodeOf = (error: unknown): number =>
  isSoftshardError(error, 'E_USAGE') ? EXIT.usage : EXIT.failure;
