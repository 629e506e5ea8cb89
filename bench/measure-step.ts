/** Runs a step as a process of its own and keeps what its events and its memory tell. */
import { runStep } from '../src/flow/step-process.ts';
import { followMemory } from './follow-memory.ts';

export interface StepMeasure {
  /** Images a second, as the last event with a rate tells. */
  readonly rate: number | undefined;
  /** Images a second from the first unit's end to the last one's: without the start of anything. */
  readonly steadyRate: number | undefined;
  /** Share of the time spent waiting for data, 0...1. */
  readonly dataWait: number | undefined;
  readonly seconds: number;
  /** Peak resident memory, MB; undefined off Linux. */
  readonly peakMb: number | undefined;
  readonly result: unknown;
}

export const measureStep = async (
  script: string,
  options: Readonly<Record<string, string | number>>,
): Promise<StepMeasure> => {
  const memory = followMemory();
  let rate: number | undefined;
  let dataWait: number | undefined;
  const units: { readonly at: number; readonly views: number }[] = [];
  const began = performance.now();
  try {
    const result = await runStep({
      script,
      argv: Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      onStart: (pid) => memory.watch(pid),
      onEvent: (event) => {
        if (event.type === 'unit') units.push({ at: performance.now(), views: event.views });
        if (event.type === 'unit' || event.type === 'epoch') {
          rate = event.rate ?? rate;
          dataWait = event.dataWait ?? dataWait;
        }
      },
    });
    const [first, ...later] = units;
    const last = later.at(-1);
    return {
      rate,
      steadyRate:
        first === undefined || last === undefined
          ? undefined
          : later.reduce((sum, { views }) => sum + views, 0) / ((last.at - first.at) / 1000),
      dataWait,
      seconds: (performance.now() - began) / 1000,
      peakMb: memory.stop(),
      result,
    };
  } finally {
    memory.stop();
  }
};
