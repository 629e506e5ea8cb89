import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import { LETTERBOX_ONLY } from '../../src/augment/augmentation.ts';
import { checkDistillation } from '../../src/loss/check-distillation.ts';
import { distillationOptions } from '../../src/loss/distillation-options.ts';
import { buildGraph } from '../../src/model/graph.ts';
import { checkModelYaml, readModelYaml } from '../../src/model/model-yaml.ts';
import type { Dataset } from '../../src/data/sample.ts';
import { checkClassLabels } from '../../src/train/check-class-labels.ts';
import { imageClasses } from '../../src/train/classifier-loss.ts';

const classifier = buildGraph(readModelYaml('mobilenetv3-small-cls.yaml'), { names: ['a', 'b'] });
const detector = buildGraph(readModelYaml('yolov5n.yaml'), { names: ['a', 'b'] });
const party = (graph: typeof classifier) => ({ head: graph.head, layers: graph.layers.length + 1 });

describe('a classifier', () => {
  test('has a linear head over the mean, and no anchors', () => {
    assert.deepEqual(
      { ...classifier.head, names: undefined },
      { task: 'classify', nc: 2, na: 1, no: 2, strides: [32], anchors: [], names: undefined },
    );
    const last = classifier.entries.slice(-2).map(({ name, shape }) => [name, shape]);
    assert.deepEqual(last, [
      ['model.13.linear.weight', [2, 576]],
      ['model.13.linear.bias', [2]],
    ]);
    const yaml = { backbone: [[-1, 1, 'Conv', [8, 3, 2]]], head: [[[-1, 0], 1, 'Classify', ['nc']]] };
    assert.throws(
      () => buildGraph(checkModelYaml(yaml, 'two')),
      (error) => isSoftshardError(error, 'E_MODEL_YAML') && error.message.includes('one layer'),
    );
  });

  test('the classes of a batch are those of its labelled images', () => {
    const rows = [0, 3, 0.5, 0.5, 1, 1, 2, 1, 0.5, 0.5, 1, 1];
    const { classes, labelled } = imageClasses({
      labels: Float32Array.from(rows),
      labelled: [true, false, true, true],
    });
    assert.deepEqual([...labelled], [true, false, true, false]);
    assert.deepEqual([classes[0], classes[2]], [3, 1]);
  });

  test('needs one label an image, and views of one image', () => {
    const dataset = (labels: number): Dataset =>
      ({
        samples: [
          { path: 'x', labels: Array.from({ length: labels }, () => ({ classIndex: 0 })) },
          { path: 'y', labels: undefined },
        ],
      }) as unknown as Dataset;
    checkClassLabels(dataset(1), LETTERBOX_ONLY);
    for (const [data, mosaic] of [
      [dataset(2), 0],
      [dataset(0), 0],
      [dataset(1), 1],
    ] as const)
      assert.throws(
        () => checkClassLabels(data, { ...LETTERBOX_ONLY, mosaic }),
        (error) => isSoftshardError(error, 'E_OPTION_CONFLICT'),
      );
  });

  test('options of the other task are refused, and teachers of it', () => {
    const check = (options: unknown, student = classifier, teacher = classifier): void =>
      checkDistillation(distillationOptions(options), {
        student: party(student),
        teacher: party(teacher),
        epochs: 2,
      });
    check({ classifier: { temperature: 8 } });
    check({});
    check({}, detector, detector);
    for (const run of [
      () => check({ output: { kind: 'l2' } }),
      () => check({ classifier: {} }, detector, detector),
      () => check({}, detector, classifier),
      () => check({ hints: [{ student: 3, teacher: 3, pixels: 'objectness' }] }),
    ])
      assert.throws(run, (error) => isSoftshardError(error, 'E_LOSS'));
  });
});
