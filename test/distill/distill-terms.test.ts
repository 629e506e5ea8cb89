import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { distillTerms } from '../../src/cli/distill-terms.ts';
import { distillOptionsSchema } from '../../src/cli/distill.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { distillationOptions } from '../../src/loss/distillation-options.ts';

const flags = { dOutput: false, dFeature: false, outputLoss: 'soft', batchSize: 16 } as const;

describe('distillTerms', () => {
  test('neither flag means the outputs, and it says so', () => {
    const { settings, hints, lines } = distillTerms(flags);
    assert.match(lines[0] ?? '', /neither --d_output nor --d_feature/);
    assert.deepEqual(hints, []);
    assert.equal(distillationOptions({}, settings).output.weight, 1);
  });

  test('l2 weighs 10 / batch size, and features bring hints', () => {
    const { settings, hints, lines } = distillTerms({ ...flags, dFeature: true, outputLoss: 'l2' });
    const options = distillationOptions({}, settings);
    assert.deepEqual([options.output.kind, options.output.weight], ['l2', 0.625]);
    assert.deepEqual(
      options.hints.map(({ student, teacher, adapter }) => [student, teacher, adapter]),
      [4, 6, 9].map((layer) => [layer, layer, 'conv1x1']),
    );
    assert.deepEqual(hints, [4, 6, 9]);
    assert.ok(lines.some((line) => line.includes('0.625 (10 / batch size 16)')));
  });
});

test('the command line of the first implementation is read', () => {
  const line =
    '--data coco128.yaml --cfg yolov5n.yaml --weights= --t_weights yolov5m.pt --t_cfg yolov5m.yaml --d_output ' +
    '--d_feature --epochs 3 --batch-size 8 --imgsz 320 --hyp scratch-low --resume --project p --name n';
  const parsed = parseOptions(distillOptionsSchema, line.split(' '));
  assert.ok(!parsed.help);
  const { tWeights, tCfg, dOutput, dFeature, weights, resume } = parsed.options;
  assert.deepEqual([tWeights, tCfg, weights], ['yolov5m.pt', 'yolov5m.yaml', '']);
  assert.ok(dOutput && dFeature && resume);
});
