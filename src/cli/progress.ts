/** Shows events to a person: lines, and on a terminal one more that is rewritten in place. */
import { COLUMNS } from '../flow/step-process.ts';
import type { EpochEvent, SoftshardEvent, StepEvent, UnitEvent } from '../flow/events.ts';

/** Where lines go. */
export interface Screen {
  readonly write: (text: string) => void;
  /** Whether a line can be rewritten. */
  readonly isTerminal: boolean;
  /** Whether ANSI colours are wanted. */
  readonly hasColour: boolean;
  /** Width, columns. */
  readonly columns: number;
}

export interface Progress {
  readonly show: (event: SoftshardEvent) => void;
  /** Removes the line in place, before somebody else writes. */
  readonly clear: () => void;
}

/** `1:02:03` or `2:05`. */
export const duration = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
};

/** Four digits at most, never in exponent form for everyday values. */
export const figure = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(4)));

interface Pace {
  readonly rate?: number;
  readonly dataWait?: number;
  readonly etaS?: number;
}

const pace = (event: Pace, noun: string): readonly string[] => [
  ...(event.rate === undefined ? [] : [`${figure(Number(event.rate.toPrecision(3)))} ${noun}/s`]),
  ...(event.dataWait !== undefined ? [`data wait ${Math.round(event.dataWait * 100)} %`] : []),
  ...(event.etaS === undefined ? [] : [`${duration(event.etaS)} left`]),
];

const STATES = { written: 'written', found: 'found', equal: 'equal to the committed ones' } as const;

const unitLine = (event: UnitEvent): string =>
  [
    `${event.step}: unit ${event.unit + 1}/${event.total}`,
    `${event.views} views ${STATES[event.state]}`,
    ...(event.bytes === undefined ? [] : [`${(event.bytes / 1e6).toFixed(1)} MB`]),
    ...pace(event, 'views'),
  ].join('  ');

/** What one line has room for; results.csv holds the rest. */
const isHeadline = (name: string): boolean => name === 'train/total' || name.startsWith('metrics/');

const epochLine = (event: EpochEvent): string =>
  [
    `${event.step}: epoch ${event.epoch + 1}/${event.total}`,
    ...Object.entries(event.metrics)
      .filter(([name]) => isHeadline(name))
      .map(([name, value]) => `${name.replace(/^(train|metrics)\//, '')} ${figure(value)}`),
    ...pace(event, 'images'),
  ].join('  ');

const stepLine = (event: StepEvent): string =>
  [
    `${event.step}: ${event.done}/${event.total}${event.of === undefined ? '' : ` ${event.of}`}`,
    ...Object.entries(event.metrics ?? {}).map(
      ([name, value]) => `${name.replace(/^train\//, '')} ${figure(value)}`,
    ),
    ...(event.memoryBytes === undefined ? [] : [`${(event.memoryBytes / 1e9).toFixed(2)} GB`]),
    ...pace(event, event.rateOf ?? 'images'),
  ].join('  ');

/** Makes the display of one process. Failures and results are not its business. */
export const createProgress = (screen: Screen): Progress => {
  let inPlace = false;
  const tenths = new Map<string, number>();
  const clear = (): void => {
    if (inPlace) screen.write('\r\u001b[K');
    inPlace = false;
  };
  const line = (text: string): void => {
    clear();
    screen.write(`${text}\n`);
  };
  const rewrite = (text: string): void => {
    screen.write(`\r\u001b[K${text.slice(0, Math.max(10, screen.columns - 1))}`);
    inPlace = true;
  };
  /** Elsewhere than on a terminal: a line at each tenth. */
  const step = (event: StepEvent): void => {
    if (screen.isTerminal) {
      rewrite(stepLine(event));
      return;
    }
    const tenth = Math.floor((10 * event.done) / Math.max(1, event.total));
    if (tenth === tenths.get(event.run)) return;
    tenths.set(event.run, tenth);
    line(stepLine(event));
  };
  return {
    clear,
    show: (event) => {
      switch (event.type) {
        case 'start':
        case 'info':
          line(`${event.step}: ${event.message}`);
          break;
        case 'warn':
          line(
            `${screen.hasColour ? '\u001b[33mwarning\u001b[0m' : 'warning'}: ${event.step}: ${event.message}`,
          );
          break;
        case 'unit':
          line(unitLine(event));
          break;
        case 'epoch':
          line(epochLine(event));
          break;
        case 'step':
          step(event);
          break;
        case 'done':
        case 'failed':
          clear();
      }
    },
  };
};

/** The screen on a stream. Colours need a terminal, no `NO_COLOR` and a terminal that is not `dumb`. */
export const screenOn = (
  stream: { write(text: string): unknown; isTTY?: boolean; columns?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Screen => {
  // A parent passes the lines on to its terminal.
  const passedOn = Number(environment[COLUMNS] ?? 0);
  const isTerminal = (stream.isTTY === true || passedOn > 0) && environment['TERM'] !== 'dumb';
  const noColour = environment['NO_COLOR'];
  return {
    write: (text) => void stream.write(text),
    isTerminal,
    hasColour: isTerminal && (noColour === undefined || noColour === ''),
    // A window that is resized later only changes where lines are cut.
    columns: passedOn > 0 ? passedOn : (stream.columns ?? 100),
  };
};
