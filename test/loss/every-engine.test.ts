/** Every loss and its gradient on every engine: against finite differences, and all engines against each other. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import type { EngineName } from '../../src/engine/engine.ts';
import { availableEngines } from '../engines.ts';
import { everyLoss, type NamedLoss } from './every-loss.ts';

interface Answer {
  readonly value: number;
  readonly gradients: readonly Float32Array[];
}

const sumOf = (terms: Readonly<Record<string, tf.Scalar>>): tf.Scalar => tf.addN(Object.values(terms));

function answerOf({ inputs, of }: NamedLoss): Answer {
  return tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads((...x: tf.Tensor[]) => sumOf(of(...x)))(inputs());
    return {
      value: value.dataSync<'float32'>()[0] ?? NaN,
      gradients: grads.map((gradient) => gradient.dataSync<'float32'>().slice()),
    };
  });
}

/** Signs of a direction in which no two elements cancel. */
const direction = (input: number, i: number): number => (Math.sin(12.9898 * i + input) > 0 ? 1 : -1);

/** A step carries many of MGD's hidden units over the corner of their ReLU unless it is small. */
const stepOf = ({ name }: NamedLoss): number => (name.includes('mgd') ? 2e-4 : 2e-3);

/** The slope of the loss along `direction` in input `moved`, by central differences. */
function slopeOf(loss: NamedLoss, moved: number): number {
  const { inputs, of } = loss;
  const step = stepOf(loss);
  const at = (sign: number): number =>
    tf.tidy(() => {
      const shifted = inputs().map((x, input) => {
        if (input !== moved) return x;
        const data = x.dataSync<'float32'>().map((v, i) => v + sign * step * direction(input, i));
        return tf.tensor(data, x.shape);
      });
      return sumOf(of(...shifted)).dataSync<'float32'>()[0] ?? NaN;
    });
  return (at(1) - at(-1)) / (2 * step);
}

/**
 * Losses whose objectness target or overlap weight follows the prediction without taking a gradient: the slope of the
 * boxes is another one than their gradient, so that only the engines are compared. Finite differences of their other
 * columns are taken in tests of their own.
 */
const DETACHED = /^hard|"pseudo"|"soft"|"dkd"/;

const largestOf = (arrays: readonly Float32Array[]): number =>
  arrays.reduce((max, array) => array.reduce((most, g) => Math.max(most, Math.abs(g)), max), 0);

const answers = new Map<EngineName, Map<string, Answer>>();
const ENGINES: readonly EngineName[] = [...availableEngines(), 'cpu'];

for (const engine of ENGINES) {
  describe(`losses on ${engine}`, () => {
    let losses: NamedLoss[] = [];
    const found = new Map<string, Answer>();
    before(async () => {
      losses = everyLoss((await openEngine(engine)).engine.ops);
      answers.set(engine, found);
    });
    after(() => tf.disposeVariables());

    test('every gradient equals finite differences along a direction', () => {
      for (const loss of losses) {
        const answer = answerOf(loss);
        found.set(loss.name, answer);
        assert.ok(Number.isFinite(answer.value) && answer.value !== 0, `${loss.name}: ${answer.value}`);
        if (DETACHED.test(loss.name)) continue;
        answer.gradients.forEach((gradient, input) => {
          const expected = gradient.reduce((sum, g, i) => sum + g * direction(input, i), 0);
          const size = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
          const slope = slopeOf(loss, input);
          // Rounding of the value by the step, and a curvature that the step does not see.
          const allowed = 2e-2 * size + (2e-7 * Math.abs(answer.value)) / stepOf(loss);
          assert.ok(
            Math.abs(slope - expected) <= allowed,
            `${loss.name}, input ${input}: ${slope} ${expected} (${allowed})`,
          );
        });
      }
    });

    test(`all values and gradients are those of ${ENGINES[0]}`, () => {
      const reference = answers.get(ENGINES[0] ?? 'cpu');
      for (const [name, { value, gradients }] of found) {
        const expected = reference?.get(name);
        assert.ok(expected, name);
        assert.ok(Math.abs(value - expected.value) <= 2e-5 * Math.abs(expected.value), `${name}: ${value}`);
        const overall = largestOf(expected.gradients);
        gradients.forEach((gradient, input) => {
          const other = expected.gradients[input] ?? new Float32Array(0);
          const largest = largestOf([other]);
          // A bias before a standardisation has no effect: what is left is the rounding of terms that cancel.
          gradient.forEach((g, i) => {
            const error = Math.abs(g - (other[i] ?? NaN));
            assert.ok(
              error <= 1e-4 * largest + 1e-5 * overall + 2e-6 * Math.abs(value),
              `${name}, input ${input}, ${i}: ${g} ${other[i]}`,
            );
          });
        });
      }
    });
  });
}
