import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { classificationWeights, createClassificationLoss } from '../../src/loss/classification-loss.ts';
import { classificationOptionsSchema } from '../../src/loss/classifier-options.ts';
import { decoupledTargets } from '../../src/loss/decoupled-targets.ts';
import { crossEntropy, hintonLoss, softSigmoidTargets, softTargets } from '../../src/loss/soft-targets.ts';
import { totalLoss } from '../../src/loss/total.ts';
import { ops, relativeError, valueOf } from './on-engine.ts';
import { distillationVectors as vectors } from './vectors.ts';

const matrix = (values: readonly (readonly number[])[]): tf.Tensor2D =>
  tf.tensor2d(values.map((row) => [...row]));
const [student, teacher] = [matrix(vectors.zs), matrix(vectors.zt)];
const loss = (options: unknown) => createClassificationLoss(classificationOptionsSchema.parse(options), ops);
const both = { classes: vectors.y, labelled: [true, true], teacher };

describe('the loss of a classifier', () => {
  test('the default is the mix of Hinton, Vinyals and Dean', () => {
    const options = classificationOptionsSchema.parse({});
    const terms = createClassificationLoss(options, ops)(student, both);
    const { total } = totalLoss({
      ...terms,
      weights: { ...classificationWeights(options), hints: {} },
      batch: 1,
      labelledCount: 1,
    });
    const expected = hintonLoss(student, teacher, vectors.y, { temperature: 4, alpha: 0.9 }).total;
    assert.ok(relativeError(valueOf(total), valueOf(expected)) < 1e-6);
  });

  test('each kind is its function', () => {
    const T = { temperature: 2 };
    const cls = (kind: string): number => valueOf(loss({ kind, ...T })(student, both).output['cls']);
    assert.equal(cls('softmax'), valueOf(softTargets(student, teacher, T)));
    assert.equal(cls('sigmoid'), valueOf(softSigmoidTargets(ops, student, teacher, T)));
    const { target, rest } = loss({ kind: 'dkd', ...T, rest: 2 })(student, both).output;
    const expected = decoupledTargets(student, teacher, vectors.y, T);
    assert.equal(valueOf(target), valueOf(expected.target));
    assert.equal(valueOf(rest), 2 * valueOf(expected.rest));
    assert.deepEqual(loss({ kind: 'none' })(student, both).output, {});
  });

  test('unlabelled images count for the soft term alone', () => {
    const half = { ...both, labelled: [false, true] };
    const terms = loss({})(student, half);
    const second = tf.slice(student, [1, 0], [1, 4]);
    assert.equal(valueOf(terms.hard['cls']), valueOf(crossEntropy(second, [2])));
    assert.equal(valueOf(terms.output['cls']), valueOf(loss({})(student, both).output['cls']));
    const none = loss({ kind: 'dkd' })(student, { ...both, labelled: [false, false] });
    assert.deepEqual(none, { hard: {}, output: {} });
  });

  test('the hard term takes its gradient from labelled rows alone', () => {
    const gradient = tf.grad((x: tf.Tensor) => {
      const { cls } = loss({})(x as tf.Tensor2D, { ...both, labelled: [false, true] }).hard;
      assert.ok(cls);
      return cls;
    })(student);
    const rows = gradient.arraySync() as number[][];
    assert.ok(rows[0]?.every((g) => g === 0) && rows[1]?.some((g) => g !== 0));
  });

  test('logits that are missing or of other classes are E_LOSS', () => {
    const fails = (logits: tf.Tensor2D | undefined): void => {
      assert.throws(
        () =>
          loss({})(student, {
            ...both,
            ...(logits === undefined ? { teacher: undefined as never } : { teacher: logits }),
          }),
        (error) => isSoftshardError(error, 'E_LOSS'),
      );
    };
    fails(undefined);
    fails(tf.ones([2, 5]));
  });
});
