/** What a step's process prints: progress, NDJSON or one JSON object, and errors. */
import { z } from 'zod';
import { isSoftshardError, reasonOf, toErrorRecord } from '../errors.ts';
import type { SoftshardEvent } from '../flow/events.ts';
import { createProgress, screenOn } from './progress.ts';

/** Options that every command has. */
export const outputOptions = z.object({
  json: z.boolean().default(false).describe('print exactly one JSON object on standard output'),
  events: z.enum(['json']).optional().describe('report events as one JSON object a line on standard error'),
});
export type OutputOptions = z.output<typeof outputOptions>;

export interface StepOutput {
  readonly event: (event: SoftshardEvent) => void;
  /** The result: `text` for a person, or the object under `--json`. */
  readonly result: (result: unknown, text: string) => void;
  /** Help and the like, for a person, whatever the options. */
  readonly text: (text: string) => void;
  readonly error: (error: unknown) => void;
}

export interface OutputStreams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Those of a process. */
export const outputStreams = ({ stdout, stderr, env }: NodeJS.Process): OutputStreams => ({
  ...{ out: stdout, err: stderr, environment: env },
});

/** The causes under an error, a line each; what is already said above is left out. */
const causes = (error: unknown): string => {
  const lines: string[] = [];
  let said = reasonOf(error);
  for (let inner = error; inner instanceof Error && inner.cause !== undefined; inner = inner.cause) {
    const reason = reasonOf(inner.cause);
    if (said.includes(reason)) continue;
    lines.push(`\n  cause:    ${reason}`);
    said += reason;
  }
  return lines.join('');
};

/** An error for a person: code, message, details, causes; the stack only where the error is a defect of ours. */
export const errorText = (error: unknown, hasColour: boolean): string => {
  const { code } = toErrorRecord(error);
  const title = hasColour ? `\u001b[31merror ${code}\u001b[0m` : `error ${code}`;
  const isOurs = isSoftshardError(error) && code !== 'E_INTERNAL';
  const body = !isOurs && error instanceof Error ? (error.stack ?? error.message) : reasonOf(error);
  return `${title}: ${body}${causes(error)}\n`;
};

/** Prints nothing: for a process whose parent shows its events. */
export const silentOutput: StepOutput = {
  event: () => undefined,
  result: () => undefined,
  text: () => undefined,
  error: () => undefined,
};

/** Prints as the options ask. */
export const createOutput = (options: OutputOptions, streams: OutputStreams): StepOutput => {
  const screen = screenOn(streams.err, streams.environment);
  const progress = createProgress(screen);
  const asEvents = options.events === 'json';
  return {
    event: (event) => {
      if (asEvents) streams.err.write(`${JSON.stringify(event)}\n`);
      else progress.show(event);
    },
    result: (result, text) => {
      progress.clear();
      // A result of undefined is still an object to whoever parses it.
      if (options.json) streams.out.write(`${JSON.stringify(result ?? {})}\n`);
      else if (text !== '') streams.out.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    text: (text) => void streams.out.write(text),
    error: (error) => {
      progress.clear();
      if (options.json) streams.out.write(`${JSON.stringify({ error: toErrorRecord(error) })}\n`);
      // Under --events the `failed` event has told it.
      if (!asEvents) streams.err.write(errorText(error, screen.hasColour));
    },
  };
};
