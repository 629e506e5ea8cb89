import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { codecOf } from '../../src/cache/codec.ts';
import type { FloatBlob } from '../../src/cache/target.ts';
import { boundsRatio, chooseParameters } from '../../src/codec-error/choose-parameters.ts';
import { summariseErrors } from '../../src/codec-error/error-figures.ts';
import { errorContext, measureCodecs, servedLosses } from '../../src/codec-error/measure-codec.ts';
import { noisyStudent } from '../../src/codec-error/reference-students.ts';
import { gradientError, headGradients } from '../../src/codec-error/view-error.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { headSpec } from '../loss/head-spec.ts';
import { syntheticHead } from '../head-codec/synthetic-head.ts';

const NC = 6;
const whole = headSpec(NC);
/** Its first two levels. */
const HEAD = { ...whole, strides: whole.strides.slice(0, 2), anchors: whole.anchors.slice(0, 2) };

const { engine } = await openEngine('wasm');
const context = errorContext(engine.ops, HEAD, 128);

const headsOf = (seed: number): FloatBlob[] => [
  syntheticHead([16, 16, 3, NC], 3, seed),
  syntheticHead([8, 8, 3, NC], 2, seed + 1000),
];
const blank = (heads: readonly FloatBlob[]): FloatBlob[] =>
  heads.map(({ shape, data }) => ({ shape, data: data.map((_, i) => (i % 11 < 4 ? 0 : -4)) }));
const noisy = noisyStudent(0);
const views = [1, 2, 3].map((seed) => {
  const teacher = headsOf(seed);
  return { teacher, students: [blank(teacher), noisy(teacher)] };
});
const view = views[0] ?? { teacher: [], students: [] };

test('the gradient of l2 by the heads is the one of its formula', () => {
  const { teacher, students } = view;
  const { loss, heads } = headGradients(
    servedLosses()['l2'] ?? assert.fail(),
    context,
    students[1] ?? [],
    teacher,
  );
  let sum = 0;
  const { gains } = context;
  teacher.forEach(({ data }, level) => {
    const rows = data.length / HEAD.no;
    data.forEach((t, i) => {
      const column = i % HEAD.no;
      const gain = column < 4 ? gains.box / 4 : column === 4 ? gains.obj : gains.cls / NC;
      const weight = 1 / (1 + Math.exp(-(data[i - column + 4] ?? 0))) / rows;
      const difference = (students[1]?.[level]?.data[i] ?? 0) - t;
      sum += gain * weight * difference ** 2;
      const expected = 2 * gain * weight * difference;
      assert.ok(Math.abs((heads[level]?.[i] ?? NaN) - expected) <= 1e-5 * Math.abs(expected) + 1e-12);
    });
  });
  assert.ok(Math.abs(loss / sum - 1) < 1e-5);
});

test('errors are relative, by term, and of the worst head', () => {
  const gradients = (scale: number) => ({
    loss: 2 * scale,
    heads: [Float32Array.of(3, 0, 0, 4, 0, 0), Float32Array.of(0, 0, 0, 0, 2 * scale, 5)],
  });
  const error = gradientError(gradients(1), gradients(1.5), 6);
  assert.ok(Math.abs(error.total - 1 / Math.sqrt(29)) < 1e-6);
  assert.deepEqual({ ...error, total: 0 }, { loss: 0.5, total: 0, box: 0, obj: 0.5, cls: 0 });
});

test('figures are means over students of means and of 95th percentiles over views', () => {
  const at = (value: number) => ({ loss: value, total: 0, box: 0, obj: 0, cls: 0 });
  const first = Array.from({ length: 20 }, (_, i) => at(i));
  const second = Array.from({ length: 20 }, () => at(1));
  assert.deepEqual(summariseErrors([first, second]).loss, { mean: 5.25, p95: 9.5 });
});

describe('measuring a codec', () => {
  test('finds nothing in fp32, little in fp16, and the same again', async () => {
    const before = tf.memory().numTensors;
    const codecs = ['fp32', 'fp16', 'sparse'].map((spec) => codecOf(spec, HEAD_CODECS));
    const [exact, half, sparse] = await measureCodecs(codecs, views, context);
    assert.equal(tf.memory().numTensors, before);
    for (const { loss, total, box, obj, cls } of Object.values(exact?.error ?? {}))
      for (const { mean, p95 } of [loss, total, box, obj, cls]) assert.deepEqual([mean, p95], [0, 0]);
    assert.ok((half?.error['l2']?.total.mean ?? 1) < 0.002);
    assert.ok((sparse?.error['l2']?.total.mean ?? 1) < 0.05);
    assert.ok((sparse?.bytes ?? 1e9) < (half?.bytes ?? 0) / 8);
    assert.deepEqual(await measureCodecs(codecs.slice(2), views, context), [sparse]);
  });

  test('chooses parameters that keep the bounds, fewer bytes for looser ones', async () => {
    const codec = codecOf('sparse', HEAD_CODECS);
    const chosen = [];
    for (const gradient of [0.02, 0.1]) {
      const bounds = { loss: gradient, gradient, term: 3 * gradient };
      const result = await chooseParameters(codec, bounds, views, context);
      assert.ok(boundsRatio(result.error, bounds) <= 1);
      chosen.push(result);
    }
    assert.ok((chosen[0]?.bytes ?? 0) > (chosen[1]?.bytes ?? 0));
  });

  test('says so when no parameters keep them', async () => {
    const impossible = { loss: 1e-9, gradient: 1e-9, term: 1e-9 };
    await assert.rejects(
      chooseParameters(codecOf('sparse', HEAD_CODECS), impossible, views.slice(0, 1), context),
      (error) => isSoftshardError(error, 'E_CODEC') && /times a bound/.test(error.message),
    );
  });
});
