/** The error of a codec as it is reported: relative, for each loss that the answers may serve. */

/** Over views; the mean over the reference students of each. */
export interface ErrorFigure {
  readonly mean: number;
  /** 95th percentile. */
  readonly p95: number;
}

/** Relative errors of one loss from decoded answers against the dense ones. */
export interface LossError {
  /** Of the sum of its terms. */
  readonly loss: ErrorFigure;
  /** Of its gradient by the student's heads, relative l2 of the worst head: of all columns, and of each term's. */
  readonly total: ErrorFigure;
  readonly box: ErrorFigure;
  readonly obj: ErrorFigure;
  readonly cls: ErrorFigure;
}

export const ERROR_NAMES = [
  'loss',
  'total',
  'box',
  'obj',
  'cls',
] as const satisfies readonly (keyof LossError)[];

/** Relative errors at one view, for one student. */
export type ViewError = Readonly<Record<keyof LossError, number>>;

/** Errors by name of the loss. */
export type CodecError = Readonly<Record<string, LossError>>;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** The smallest value that at least 95 of 100 do not exceed. */
const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(0.95 * values.length) - 1)] ?? 0;

/** Four significant digits: what is left of it on another machine. */
const rounded = (value: number): number => Number(value.toPrecision(4));

/** Sums up the errors of a loss: `byStudent` holds, for each reference student, those of every view. */
export function summariseErrors(byStudent: readonly (readonly ViewError[])[]): LossError {
  const figure = (name: keyof LossError): ErrorFigure => {
    const values = byStudent.map((views) => views.map((view) => view[name]));
    return { mean: rounded(mean(values.map(mean))), p95: rounded(mean(values.map(p95))) };
  };
  return {
    loss: figure('loss'),
    total: figure('total'),
    box: figure('box'),
    obj: figure('obj'),
    cls: figure('cls'),
  };
}
