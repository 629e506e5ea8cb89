/**
 * A MobileNetV3-Small detector taught by darknet's YOLOv4-tiny: two heads with the same anchors, and three skips.
 *
 *     softshard run mobilenetv3-darknet --set data=coco128.yaml --set teacher=yolov4-tiny.weights
 *
 * The teacher's `.weights` are read as they are (the data set must have the classes they were trained on, 80 for the
 * released file), its outputs cached in YOLOv5's terms. The skips join layers of strides 8, 16 and 32: torchvision's
 * features 3, 8 and 11 with sections 16, 23 and 26 of yolov4-tiny.cfg, weighted .1, .2 and .3, each through a trained
 * 1x1 convolution and standardised by channel. Both models see the same pixels. Beside it the same student learns from
 * labels alone for as many batches.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  comparison,
  dataset,
  definePipeline,
  evaluate,
  perform,
  report,
  teach,
  train,
  weights,
  type Evaluation,
  type TrainStepOptions,
} from 'softshard';

/** Layers of student and teacher by stride, and the weights of their features. */
const SKIPS = [
  { student: 3, teacher: 16, weight: 0.1 },
  { student: 8, teacher: 23, weight: 0.2 },
  { student: 11, teacher: 26, weight: 0.3 },
] as const;

export const command = definePipeline({
  name: 'mobilenetv3-darknet',
  summary: 'Distils darknet’s YOLOv4-tiny into a MobileNetV3-Small detector, by two heads and three skips.',
  options: z.strictObject({
    data: z.string().default('coco128.yaml').describe('data yaml'),
    teacher: z.string().default('yolov4-tiny.weights').describe('darknet weights of the teacher'),
    teacherCfg: z.string().default('yolov4-tiny.yaml').describe('model yaml of the teacher'),
    cfg: z
      .string()
      .default('mobilenetv3-small.yaml')
      .describe('model yaml of the student, MobileNetV3-Small in rows 0 to 12'),
    weights: z
      .string()
      .optional()
      .describe('state dict of torchvision’s MobileNetV3-Small; random weights by default'),
    imgsz: z.int().min(32).multipleOf(32).default(320).describe('side of the input, of both models'),
    epochs: z.int().min(1).default(20).describe('passes over the data'),
    batchSize: z.int().min(1).default(16).describe('images a batch'),
    views: z.int().min(1).default(1).describe('views an image in the cache'),
    hyp: z.string().optional().describe('hyper-parameters of augmentation and training'),
    output: z.number().min(0).default(1).describe('weight of the teacher’s output'),
    features: z.number().min(0).default(0.05).describe('scale of the skips'),
    valSplit: z
      .enum(['train', 'val', 'test'])
      .default('val')
      .describe('split that the models are measured on'),
    seed: z.int().min(0).default(0).describe('of weights, order and augmentation'),
    folder: z.string().default('runs/mobilenetv3-darknet').describe('where cache and runs go'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async (options, context) => {
    const { imgsz, views, hyp, seed, engine, cfg, teacherCfg, batchSize, epochs, output, features } = options;
    const root = resolve(options.folder);
    const data = dataset(options.data, 'train');
    const teacher = weights(options.teacher);
    const cache = await perform(
      teach({
        ...{ weights: teacher, cfg: teacherCfg, data, imgsz, views, hyp, seed, engine },
        ...{ cache: join(root, 'cache'), hints: SKIPS.map((skip) => skip.teacher), hintCodec: 'int8' },
      }),
      context,
    );
    const student: Omit<TrainStepOptions, 'name'> = {
      ...{ cfg, data, imgsz, epochs, batchSize, hyp, seed, engine, val: false, project: root },
      ...(options.weights === undefined ? {} : { weights: weights(options.weights), transfer: 'partial' }),
    };
    const hints = SKIPS.map(({ weight, ...pair }) => ({
      ...{ ...pair, weight: weight * features },
      ...{ kind: 'mse', norm: 'both' },
    }));
    const distilled = await perform(
      train({
        ...{ ...student, cache, name: 'distilled' },
        set: { distill: { output: { kind: 'soft', weight: output }, hints } },
      }),
      context,
    );
    const labels = await perform(train({ ...student, name: 'labels' }), context);
    const held = dataset(options.data, options.valSplit);
    const common = { data: held, imgsz, engine };
    const rows: [string, Evaluation][] = [
      ['teacher', await perform(evaluate({ model: teacher, cfg: teacherCfg, ...common }), context)],
      ['two heads, three skips', await perform(evaluate({ model: distilled, ...common }), context)],
      ['labels alone', await perform(evaluate({ model: labels, ...common }), context)],
    ];
    const written = await perform(
      report({ run: distilled, teacher, teacherCfg, baseline: labels, rect: false, ...common }),
      context,
    );
    return { rows, cache: cache.dir, run: distilled.dir, report: written.file };
  },
  describe: ({ rows, report: file }) => `${comparison(rows)}\nreport  ${file}`,
});
