/** What a loss makes of decoded answers instead of the dense ones, at one view and for one student. */
import * as tf from '@tensorflow/tfjs-core';
import type { Loss, LossContext, LossTarget } from '../loss/loss.ts';
import type { FloatBlob } from '../cache/target.ts';
import { objectnessOf } from '../loss/host-objectness.ts';
import type { ViewError } from './error-figures.ts';

/** A loss's value, and its gradient by each head of the student, [ny, nx, na, no]. */
export interface HeadGradients {
  readonly loss: number;
  readonly heads: readonly Float32Array[];
}

const batchOfOne = ({ data, shape }: FloatBlob): tf.Tensor5D =>
  tf.tensor5d(data, [1, ...shape] as [number, number, number, number, number]);

/**
 * Loss and gradient of `loss` for a student with the heads `student` and a teacher with the heads `teacher`, one view,
 * blobs [ny, nx, na, no] in the order of the levels. Waits for the engine; leaves nothing on it.
 */
export function headGradients(
  loss: Loss,
  context: LossContext,
  student: readonly FloatBlob[],
  teacher: readonly FloatBlob[],
): HeadGradients {
  const [value, ...gradients] = tf.tidy((): tf.Tensor[] => {
    const target: LossTarget = {
      labels: new Float32Array(),
      labelled: [false],
      teacher: { heads: teacher.map(batchOfOne), teacherObjectness: teacher.map(objectnessOf) },
    };
    const total = (...heads: tf.Tensor[]): tf.Scalar => {
      const terms = loss({ heads: heads as tf.Tensor5D[], features: new Map() }, target, context);
      return tf.addN(Object.values(terms));
    };
    const { value: sum, grads } = tf.valueAndGrads(total)(student.map(batchOfOne));
    return [sum, ...grads];
  });
  const result = {
    loss: value?.dataSync<'float32'>()[0] ?? 0,
    heads: gradients.map((gradient) => gradient.dataSync<'float32'>()),
  };
  tf.dispose([value, ...gradients]);
  return result;
}

const COLUMNS = 4;
/** Term of a column: 0 box, 1 objectness, 2 classes. */
const termOf = (column: number): number => (column < COLUMNS ? 0 : column === COLUMNS ? 1 : 2);

const relative = (difference: number, reference: number): number =>
  difference === 0 ? 0 : Math.sqrt(difference / Math.max(reference, Number.MIN_VALUE));

/**
 * Relative errors of `decoded` against `dense`, `no` columns a row: of the loss, and l2 of the gradient in all, in the
 * columns of the box, of the objectness, of the classes; of the gradient, that of the worst head.
 */
export function gradientError(dense: HeadGradients, decoded: HeadGradients, no: number): ViewError {
  const worst = [0, 0, 0, 0];
  dense.heads.forEach((reference, level) => {
    const other = decoded.heads[level] ?? new Float32Array();
    const differences = [0, 0, 0];
    const squares = [0, 0, 0];
    for (let i = 0, column = 0; i < reference.length; i++) {
      const value = reference[i] ?? 0;
      const difference = (other[i] ?? 0) - value;
      const term = termOf(column);
      differences[term] = (differences[term] ?? 0) + difference * difference;
      squares[term] = (squares[term] ?? 0) + value * value;
      column = column + 1 === no ? 0 : column + 1;
    }
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const errors = [
      relative(sum(differences), sum(squares)),
      ...differences.map((difference, term) => relative(difference, squares[term] ?? 0)),
    ];
    errors.forEach((error, i) => (worst[i] = Math.max(worst[i] ?? 0, error)));
  });
  const [total = 0, box = 0, obj = 0, cls = 0] = worst;
  const loss = Math.abs(decoded.loss - dense.loss) / Math.max(Math.abs(dense.loss), Number.MIN_VALUE);
  return { loss, total, box, obj, cls };
}
