/**
 * Lines that TensorFlow writes to standard error while it is loaded. They say nothing to a person, and come before
 * TF_CPP_MIN_LOG_LEVEL takes effect.
 */

/** How each line begins, and the whole of it without its end. */
const NOISE: readonly (readonly [start: string, line: RegExp])[] = [
  [
    'WARNING: All log messages before absl::InitializeLog() is called',
    /^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$/,
  ],
  ['I0000 00:00:', /^I0000 00:00:[\d.]+ +\d+ port\.cc:\d+\] oneDNN custom operations are on\. /],
  [
    'I0000 00:00:',
    /^I0000 00:00:[\d.]+ +\d+ cpu_feature_guard\.cc:\d+\] This TensorFlow binary is optimized to use /,
  ],
  [
    'To enable the following instructions:',
    /^To enable the following instructions: .*, in other operations, rebuild TensorFlow with /,
  ],
];

/** Whether a line (without its end) is one of those. */
export const isNoise = (line: string): boolean => NOISE.some(([, pattern]) => pattern.test(line));

const mayBecomeNoise = (begun: string): boolean =>
  NOISE.some(([start]) => start.startsWith(begun) || begun.startsWith(start));

export interface NoiseFilter {
  /** Takes what a process wrote and gives what is to be shown now. */
  readonly take: (text: string) => string;
  /** What was held back when the process has ended. */
  readonly end: () => string;
}

/**
 * Drops those lines from a stream of text and passes the rest on at once, unfinished lines included: only a line
 * that begins as one of those is held until it is whole.
 */
export const noiseFilter = (): NoiseFilter => {
  let held = '';
  let shownInPart = false;
  return {
    take: (text) => {
      let shown = '';
      const lines = (held + text).split('\n');
      held = '';
      for (const [i, line] of lines.entries()) {
        const isWhole = i < lines.length - 1;
        if (isWhole) {
          if (shownInPart || !isNoise(line)) shown += `${line}\n`;
          shownInPart = false;
        } else if (line !== '' && (shownInPart || !mayBecomeNoise(line))) {
          shown += line;
          shownInPart = true;
        } else held = line;
      }
      return shown;
    },
    end: () => {
      const rest = held;
      held = '';
      return rest;
    },
  };
};
