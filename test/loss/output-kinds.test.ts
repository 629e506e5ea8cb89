/** The further kinds of output distillation: each against its definition in float64, and its gradient. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { featureMapNms } from '../../src/loss/feature-map-nms.ts';
import { assignTargets } from '../../src/loss/assign-targets.ts';
import type { Loss } from '../../src/loss/loss.ts';
import { createDecodedOutputLoss } from '../../src/loss/output-decoded.ts';
import { createKlOutputLoss } from '../../src/loss/output-kl.ts';
import { createSoftOutputLoss } from '../../src/loss/output-soft.ts';
import { createSplitOutputLoss } from '../../src/loss/output-split.ts';
import { gradientError } from './finite-differences.ts';
import { VECTOR_GRIDS, vectorHeads, vectorLabels } from './vectors.ts';
import {
  absoluteSum,
  allLabelled,
  contextOf,
  forwardOf,
  headSpec,
  ops,
  relativeError,
  targetOf,
  valueOf,
} from './on-engine.ts';

const gains = { box: 0.05, obj: 1, cls: 0.5 };
const context = contextOf(3, gains);
const spec = headSpec(3);
const BALANCE = [4, 1, 0.4];

const teacherHeads = (): tf.Tensor5D[] => vectorHeads((v) => 1.7 * v + Math.sin(7 * v));
const target = () => targetOf(vectorLabels(), allLabelled(2), teacherHeads());

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const entropy = (x: number, p: number): number => Math.max(x, 0) - x * p + Math.log1p(Math.exp(-Math.abs(x)));
const divergence = (s: number, t: number): number => entropy(s, sigmoid(t)) - entropy(t, sigmoid(t));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

interface Row {
  readonly s: readonly number[];
  readonly t: readonly number[];
  readonly stays: number;
  /** Grid units. */
  readonly anchor: readonly [number, number];
}

/** The rows of every level. */
function levels(): Row[][] {
  const teacher = teacherHeads();
  return vectorHeads().map((head, level) => {
    const rowsOf = (x: tf.Tensor | undefined): number[][] =>
      tf.reshape<tf.Rank.R2>(x as tf.Tensor5D, [-1, spec.no]).arraySync();
    const t = rowsOf(teacher[level]);
    const stays = featureMapNms(ops, teacher[level] as tf.Tensor5D).dataSync();
    const stride = spec.strides[level] ?? NaN;
    return rowsOf(head).map((s, i) => {
      const [w = NaN, h = NaN] = spec.anchors[level]?.[i % spec.na] ?? [];
      return { s, t: t[i] ?? [], stays: stays[i] ?? NaN, anchor: [w / stride, h / stride] as const };
    });
  });
}

const at = (values: readonly number[], k: number): number => values[k] ?? NaN;

function decoded(): Record<string, number> {
  const terms = { box: 0, obj: 0, cls: 0 };
  levels().forEach((rows, level) => {
    const weights = rows.map(({ t, stays }) => sigmoid(at(t, 4)) * stays);
    const weighted = (of: (row: Row) => number): number =>
      sum(rows.map((row, i) => at(weights, i) * of(row))) / sum(weights);
    terms.obj +=
      (at(BALANCE, level) * sum(rows.map(({ s }, i) => (sigmoid(at(s, 4)) - at(weights, i)) ** 2))) /
      rows.length;
    terms.cls += weighted(
      ({ s, t }) => sum([5, 6, 7].map((k) => (sigmoid(at(s, k)) - sigmoid(at(t, k))) ** 2)) / 3,
    );
    terms.box += weighted(({ s, t, anchor }) => {
      const difference = (k: number, scale: number): number =>
        (2 * scale * (sigmoid(at(s, k)) - sigmoid(at(t, k)))) ** 2;
      return (
        difference(0, 1) +
        difference(1, 1) +
        difference(2, Math.sqrt(anchor[0])) +
        difference(3, Math.sqrt(anchor[1]))
      );
    });
  });
  return { box: terms.box * gains.box, obj: terms.obj * gains.obj, cls: terms.cls * gains.cls };
}

function split(): Record<string, number> {
  const terms = { box: 0, obj: 0, cls: 0 };
  levels().forEach((rows, level) => {
    const weights = rows.map(({ t, stays }) => sigmoid(at(t, 4)) * stays);
    const weighted = (of: (row: Row) => number): number =>
      sum(rows.map((row, i) => at(weights, i) * of(row))) / sum(weights);
    terms.box += weighted(
      ({ s, t }) =>
        sum([0, 1].map((k) => entropy(at(s, k), sigmoid(at(t, k))))) +
        sum([2, 3].map((k) => Math.abs(at(s, k) - at(t, k)))),
    );
    terms.cls += weighted(({ s, t }) => sum([5, 6, 7].map((k) => entropy(at(s, k), sigmoid(at(t, k))))) / 3);
    terms.obj +=
      (at(BALANCE, level) * sum(rows.map(({ s, t, stays }) => entropy(at(s, 4), at(t, 4) > 0 ? stays : 0)))) /
      rows.length;
  });
  return { box: terms.box * gains.box, obj: terms.obj * gains.obj, cls: terms.cls * gains.cls };
}

/** Class and box terms of `soft` in their other forms. */
function softForms(T: number, boxT: number): Record<'softmax' | 'ld', number> {
  const found = { softmax: 0, ld: 0 };
  levels().forEach((rows) => {
    const w = rows.map(({ t }) => sigmoid(at(t, 4)));
    const distribution = (row: readonly number[]): number[] => {
      const e = row.slice(5).map((x) => Math.exp(x / T));
      return e.map((x) => x / sum(e));
    };
    const kl = rows.map(({ s, t }) => {
      const [p, q] = [distribution(s), distribution(t)];
      return sum(q.map((x, k) => x * Math.log(x / at(p, k))));
    });
    found.softmax += (T * T * sum(kl.map((x, i) => x * at(w, i)))) / sum(w);
    const seen = rows.map((row, i) => ({ row, weight: at(w, i) })).filter(({ weight }) => weight > 0.01);
    const boxes = seen.map(
      ({ row: { s, t }, weight }) =>
        (weight * boxT * boxT * sum([0, 1, 2, 3].map((k) => divergence(at(s, k) / boxT, at(t, k) / boxT)))) /
        4,
    );
    found.ld += sum(boxes) / sum(seen.map(({ weight }) => weight));
  });
  return { softmax: found.softmax * gains.cls, ld: found.ld * gains.box };
}

function decoupled(T: number, alpha: number, beta: number): number {
  const rows = levels();
  let term = 0;
  assignTargets(vectorLabels(), spec, VECTOR_GRIDS).forEach((found, level) => {
    const grid = VECTOR_GRIDS[level];
    assert.ok(grid);
    const values = Array.from({ length: found.count }, (_, i) => {
      const cell =
        (at([...found.image], i) * grid.ny + at([...found.gridY], i)) * grid.nx + at([...found.gridX], i);
      const row = rows[level]?.[cell * spec.na + at([...found.anchor], i)];
      assert.ok(row);
      return (
        sum(
          [0, 1, 2].map(
            (k) =>
              (k === found.classIndex[i] ? alpha : beta) *
              divergence(at(row.s, 5 + k) / T, at(row.t, 5 + k) / T),
          ),
        ) / 3
      );
    });
    if (found.count > 0) term += (T * T * sum(values)) / found.count;
  });
  return term * gains.cls;
}

const run = (loss: Loss): Record<string, number> =>
  Object.fromEntries(
    Object.entries(loss(forwardOf(vectorHeads()), target(), context)).map(([name, x]) => [name, valueOf(x)]),
  );

function assertTerms(
  found: Record<string, number>,
  expected: Record<string, number>,
  tolerance = 1e-5,
): void {
  for (const [name, value] of Object.entries(expected)) {
    const error = relativeError(found[name] ?? NaN, value);
    assert.ok(error < tolerance, `${name}: ${found[name]} ${value}`);
  }
}

test('decoded: the definition', () => {
  assertTerms(run(createDecodedOutputLoss()), decoded());
});

test('split: the definition', () => {
  assertTerms(run(createSplitOutputLoss()), split());
});

test('soft with softmax classes and box logits: the definition', () => {
  const found = run(
    createSoftOutputLoss({ temperature: 2, classes: 'softmax', boxes: 'ld', boxTemperature: 5 }),
  );
  const { softmax, ld } = softForms(2, 5);
  assertTerms(found, { cls: softmax, box: ld });
  const plain = run(createSoftOutputLoss({ temperature: 2 }));
  assert.equal(found['obj'], plain['obj']);
});

test('soft with decoupled classes: the definition', () => {
  const options = { classes: 'decoupled', temperature: 2, alpha: 1, beta: 3 } as const;
  assertTerms(run(createSoftOutputLoss(options)), { cls: decoupled(2, 1, 3) });
  // Without annotation there is no true class.
  const found = createSoftOutputLoss(options)(
    forwardOf(vectorHeads()),
    targetOf(vectorLabels(), [false, false], teacherHeads()),
    context,
  );
  assert.equal(valueOf(found['cls']), 0);
});

const KINDS: readonly [name: string, loss: Loss, columns: readonly [number, number], tolerance: number][] = [
  ['decoded', createDecodedOutputLoss(), [0, 8], 1e-4],
  ['decoded without suppression', createDecodedOutputLoss({ suppression: 'none' }), [0, 8], 1e-4],
  ['split', createSplitOutputLoss(), [0, 8], 1e-4],
  ['split, original', createSplitOutputLoss({ form: 'original' }), [0, 8], 1e-4],
  ['kl', createKlOutputLoss(), [0, 8], 1e-5],
  ['softmax classes', createSoftOutputLoss({ classes: 'softmax', temperature: 2 }), [4, 4], 1e-4],
  ['decoupled classes', createSoftOutputLoss({ classes: 'decoupled', temperature: 2 }), [4, 4], 1e-4],
  ['box logits', createSoftOutputLoss({ boxes: 'ld' }), [0, 4], 1e-4],
];

for (const [name, loss, [first, size], tolerance] of KINDS) {
  describe(name, () => {
    test('the gradient equals finite differences', () => {
      // No logit within a step of the teacher's, where |x| has no derivative.
      const [fine, middle, coarse] = vectorHeads((v) => v + 0.035);
      assert.ok(fine && middle && coarse);
      const cut = (from: number, width: number): tf.Tensor5D =>
        tf.slice(coarse, [0, 0, 0, 0, from], [-1, -1, -1, -1, width]);
      const moved = cut(first, size);
      const given = target();
      const error = gradientError(
        (x) => {
          const parts = [
            ...(first > 0 ? [cut(0, first)] : []),
            x as tf.Tensor5D,
            ...(first + size < 8 ? [cut(first + size, 8 - first - size)] : []),
          ];
          return tf.addN(Object.values(loss(forwardOf([fine, middle, tf.concat(parts, 4)]), given, context)));
        },
        moved.dataSync(),
        moved.shape,
        0.03,
      );
      assert.ok(error < tolerance, `${error}`);
    });

    test('a teacher that sees nothing leaves finite terms and gradients', () => {
      const blind = vectorHeads((v) => v - 200);
      const { value, grads } = tf.valueAndGrads((...heads: tf.Tensor[]) =>
        tf.addN(
          Object.values(
            loss(forwardOf(heads as tf.Tensor5D[]), targetOf(vectorLabels(), allLabelled(2), blind), context),
          ),
        ),
      )(vectorHeads());
      assert.ok(Number.isFinite(valueOf(value)));
      for (const gradient of grads) assert.ok(Number.isFinite(absoluteSum(gradient.dataSync())));
    });

    test('nothing stays allocated', () => {
      const heads = vectorHeads();
      const given = target();
      const before = tf.memory().numTensors;
      tf.dispose(loss(forwardOf(heads), given, context));
      tf.dispose(
        tf.grads((...inputs: tf.Tensor[]) =>
          tf.addN(Object.values(loss(forwardOf(inputs as tf.Tensor5D[]), given, context))),
        )(heads),
      );
      assert.equal(tf.memory().numTensors, before);
    });

    test('missing heads are E_LOSS', () => {
      assert.throws(
        () => loss(forwardOf(vectorHeads()), targetOf(vectorLabels(), allLabelled(2)), context),
        (error) => isSoftshardError(error, 'E_LOSS'),
      );
    });
  });
}
