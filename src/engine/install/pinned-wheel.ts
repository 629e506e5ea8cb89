/** One wheel of the Python package index, pinned by digest. A wheel is a zip. */
export interface PinnedWheel {
  /** Requirement as pip takes it. */
  readonly requirement: string;
  /** File name in the index. */
  readonly file: string;
  /** Size of the wheel, bytes. */
  readonly bytes: number;
  /** Digest of the wheel, lower-case hex. */
  readonly sha256: string;
  /** Size of what is kept of it, bytes. */
  readonly unpackedBytes: number;
  /** Platform tag for `pip download`, which frees it from the local Python's version. */
  readonly pipPlatform: string;
  readonly pipPython: string;
}

/** The command that fetches a wheel by hand. */
export const pipCommand = ({ pipPython, pipPlatform, requirement }: PinnedWheel): string =>
  `pip download --no-deps --only-binary=:all: --python-version ${pipPython} --platform ${pipPlatform} ${requirement}`;
