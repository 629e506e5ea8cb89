/** Teachers that are ONNX files or graph models answer what the weights that they were made from answer. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { loadInference, type LoadedInference } from '../../src/evaluate/load-model.ts';
import { exportModel } from '../../src/export/export-model.ts';
import type { GraphFile } from '../../src/graph-teacher/graph-file.ts';
import { openOnnxFile } from '../../src/graph-teacher/onnx-file.ts';
import { loadOnnxRuntime } from '../../src/graph-teacher/onnx-runtime.ts';
import { openGraphTeacher, type GraphTeacherOptions } from '../../src/graph-teacher/open-graph-teacher.ts';
import { graphFormat } from '../../src/graph-teacher/sniff-graph.ts';
import { openTfjsFile } from '../../src/graph-teacher/tfjs-file.ts';
import { drawKey, integerBelow } from '../../src/random/keyed.ts';
import { engineTeacher } from '../../src/teach/running-teacher.ts';
import { availableEngines } from '../engines.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';
/** Sums in another order, in float32, over logits of some units. */
const TOLERANCE = 1e-4;
const onnxPath = (name: string): string => join(repositoryRoot, 'fixtures', 'onnx', `tiny-${name}.onnx`);
const skip = await loadOnnxRuntime().then(
  () => false as const,
  (error: unknown) => (error instanceof Error ? error.message : 'no onnxruntime-node'),
);

const fails =
  (code: ErrorCode, ...texts: string[]) =>
  (error: unknown): boolean =>
    isSoftshardError(error, code) && texts.every((text) => error.message.includes(text));

const pictures = (count: number, side: number): Uint8Array[] =>
  Array.from({ length: count }, (_, image) => {
    const key = drawKey(3, 'graph-teacher-pictures', image);
    return Uint8Array.from({ length: side * side * 3 }, (_unused, i) => integerBelow(key, i, 256));
  });

describe(`graph teachers beside ${ENGINE}`, () => {
  let folder: string;
  let engine: Engine;
  let source: LoadedInference;
  let exported: string;
  const open = (file: GraphFile, more: Partial<GraphTeacherOptions> = {}) =>
    openGraphTeacher({
      ...{ file, side: 64, heads: [], hints: [], described: undefined, defaultNames: undefined },
      where: 'teacher',
      ...more,
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-graph-teacher-'));
    ({ engine } = await openEngine(ENGINE));
    source = await loadInference({ weights: await makeTinyTeacher(folder), engine });
    ({ path: exported } = await exportModel(
      { model: source, out: folder, stem: 'tiny', imageSize: 64, engine },
      'tfjs',
    ));
  });
  after(async () => {
    source.model.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** Holds the teacher to what the source answers; features are compared by number. */
  const sameAnswers = async (
    file: GraphFile,
    { side = 64, count = 3, hints = [] as readonly number[] },
  ): Promise<void> => {
    const teacher = await open(file, { side, hints });
    try {
      const { head } = source.model;
      assert.deepEqual({ ...teacher.head }, { ...head, anchors: head.anchors.map((level) => [...level]) });
      const images = pictures(count, side);
      const answers = await teacher.answer(images, { width: side, height: side });
      const expected = await engineTeacher(source.model, hints).answer(images, { width: side, height: side });
      assert.deepEqual(
        answers.map(({ name, shape }) => [name, shape]),
        expected.map(({ name, shape }) => [name, shape]),
      );
      answers.forEach(({ name, values }, i) => {
        const twin = expected[i]?.values ?? new Float32Array();
        assert.equal(values.length, twin.length);
        const worst = values.reduce((most, v, k) => Math.max(most, Math.abs(v - (twin[k] ?? NaN))), 0);
        assert.ok(worst < TOLERANCE, `${name}: ${worst}`);
      });
    } finally {
      await teacher.dispose();
    }
  };

  test('an ONNX file of one image a run, also where the batch is larger', { skip }, async () => {
    const file = await openOnnxFile(onnxPath('fixed'), 1);
    assert.deepEqual([file.batch, file.side, file.names], [1, 64, ['red', 'green']]);
    await sameAnswers(file, { hints: [2, 4, 5] });
  });

  test('an ONNX file of any batch and size', { skip }, async () => {
    const file = await openOnnxFile(onnxPath('dynamic'), 2);
    assert.deepEqual([file.batch, file.side], [undefined, undefined]);
    await sameAnswers(file, { hints: [0, 3] });
    await sameAnswers(file, { side: 96, count: 2 });
  });

  test('our own graph model, whose heads are inside the graph', async () => {
    const tensors = tf.memory().numTensors;
    const file = await openTfjsFile(exported, engine.info);
    await sameAnswers(file, {});
    assert.equal(tf.memory().numTensors, tensors);
    const again = await openTfjsFile(join(exported, 'model.json'), engine.info);
    assert.equal(again.digest, file.digest);
  });

  test('features by the names of their tensors', { skip }, async () => {
    const file = await openOnnxFile(onnxPath('fixed'), 1);
    const tensor = '/model.3/act/Mul_output_0';
    const teacher = await open(file, { hints: [tensor] });
    assert.deepEqual(teacher.features, [{ layer: 0, tensor, channels: 16, stride: 8 }]);
    await teacher.dispose();
    // Heads by name: in any order, and also as what the decoding reshapes them to.
    const named = await open(file, {
      heads: ['/model.6/m.1/Conv_output_0', '/model.6/Transpose_output_0'],
    });
    assert.deepEqual(named.heads, ['/model.6/Transpose_output_0', '/model.6/m.1/Conv_output_0']);
    await named.dispose();
  });

  test('what does not fit is refused with what would', { skip }, async () => {
    const fixed = await openOnnxFile(onnxPath('fixed'), 1);
    await assert.rejects(open(fixed, { side: 96 }), fails('E_USAGE', '--imgsz 64', '96'));
    await assert.rejects(
      open(fixed, { hints: ['/model.3/act/Mul_output_1'] }),
      fails('E_LOSS', '/model.3/act/Mul_output_0'),
    );
    await assert.rejects(open(fixed, { hints: [9] }), fails('E_LOSS', '/model.9/', '--hints NAME'));
    await assert.rejects(open(fixed, { hints: [2, 'x'] }), fails('E_LOSS', 'one kind'));
    await assert.rejects(open(fixed, { hints: ['output0'] }), fails('E_LOSS', '[1, 160, 7]'));
    await assert.rejects(open(fixed, { heads: ['nothing'] }), fails('E_LOSS', '--heads', 'nothing'));
    // Convolutions that are no heads of this output.
    await assert.rejects(
      open(fixed, { heads: ['/model.3/conv/Conv_output_0', '/model.5/conv/Conv_output_0'] }),
      fails('E_WEIGHTS_FORMAT', 'multiples of 7'),
    );
    // Heads that the decoded output does not come from.
    await assert.rejects(
      open(fixed, { heads: ['/model.6/m.0/Conv_output_0', '/model.6/m.0/Conv_output_0'] }),
      fails('E_WEIGHTS_FORMAT'),
    );
    const head = source.model.head;
    await assert.rejects(
      open(fixed, { described: { ...head, anchors: head.anchors.toReversed() } }),
      fails('E_WEIGHTS_FORMAT', 'decode', '--heads'),
    );
  });

  test('formats are told by content', async () => {
    assert.equal(await graphFormat(onnxPath('fixed')), 'onnx');
    assert.equal(await graphFormat(exported), 'tfjs');
    assert.equal(await graphFormat(join(folder, 'teacher-5.safetensors')), undefined);
    assert.equal(await graphFormat('missing.pt'), undefined);
  });
});
