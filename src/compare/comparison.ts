/** Several methods over several seeds: a row each, against the better control. */
import { bestOf, pairedDifference, spreadOf, type BySeed, type Spread } from './paired.ts';
import type { MethodRun } from './method-run.ts';

export interface ComparisonRow {
  readonly method: string;
  /** By metric, in the order asked for; undefined where no run measured it. */
  readonly metrics: readonly (Spread | undefined)[];
  /** Of the first metric, against the better control; undefined for that control. */
  readonly difference: Spread | undefined;
  readonly bySeed: BySeed;
  /** Mean of the loss scale over the runs that know it. */
  readonly lossScale: number | undefined;
  /** Mean seconds of a training. */
  readonly seconds: number | undefined;
  readonly steps: readonly number[];
}

export interface TeacherShare {
  /** Seconds of the teacher, once, and of all trainings. */
  readonly teach: number;
  readonly train: number;
  /** Of the two together, 0...1; and what it would be if every run that reads the teacher had asked it anew. */
  readonly share: number;
  readonly shareAnew: number;
  readonly runs: number;
}

export interface MethodComparison {
  /** Names of the metrics; the first decides. */
  readonly metrics: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** The control with the higher mean. */
  readonly control: string | undefined;
  /** Undefined where no time of a teacher is known. */
  readonly teacher: TeacherShare | undefined;
}

function teacherShare(runs: readonly MethodRun[]): TeacherShare | undefined {
  const teach = Math.max(...runs.map(({ seconds }) => seconds.teach ?? -1));
  if (teach < 0) return undefined;
  const train = runs.reduce((sum, { seconds }) => sum + seconds.train, 0);
  const readers = runs.filter(({ readsTeacher }) => readsTeacher).length;
  const shareOf = (spent: number): number => (spent + train > 0 ? spent / (spent + train) : 0);
  return { teach, train, share: shareOf(teach), shareAnew: shareOf(teach * readers), runs: readers };
}

const meanOf = (values: readonly (number | null)[]): number | undefined =>
  spreadOf(values.flatMap((value) => value ?? []))?.mean;

/** Compares `methods`, in that order, by `metrics`; `controls` are those of them without a teacher. */
export function compareMethods(
  runs: readonly MethodRun[],
  methods: readonly string[],
  controls: readonly string[],
  metrics: readonly string[],
): MethodComparison {
  const of = (method: string): MethodRun[] => runs.filter((run) => run.method === method);
  const values = (method: string, metric = ''): BySeed =>
    new Map(
      of(method).flatMap(({ seed, metrics: measured }) => {
        const value = measured[metric];
        return value === undefined ? [] : [[seed, value] as const];
      }),
    );
  const [main] = metrics;
  const control = bestOf(controls.map((name) => [name, values(name, main)]));
  return {
    metrics,
    control,
    teacher: runs.length === 0 ? undefined : teacherShare(runs),
    rows: methods.map((method) => {
      const bySeed = values(method, main);
      return {
        ...{ method, bySeed },
        metrics: metrics.map((metric) => spreadOf([...values(method, metric).values()])),
        difference:
          control === undefined || method === control
            ? undefined
            : pairedDifference(bySeed, values(control, main)),
        lossScale: meanOf(of(method).map(({ lossScale }) => lossScale)),
        seconds: meanOf(of(method).map(({ seconds }) => seconds.train)),
        steps: [...new Set(of(method).map(({ steps }) => steps))],
      };
    }),
  };
}
