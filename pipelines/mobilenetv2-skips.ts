/**
 * A MobileNetV2 detector taught by a YOLOv5 of any size, through five skips between their backbones.
 *
 *     softshard run mobilenetv2-skips --set data=coco128.yaml --set teacher=yolov5n.pt --set imgsz=320
 *     softshard run mobilenetv2-skips --set teacher=yolov5x.pt --set weights=mobilenet_v2-b0353104.pth
 *
 * The skips join layers of one stride: 2, 4, 8, 16 and 32 pixels, torchvision's features 1, 3, 6, 13 and 17 with
 * YOLOv5's layers 0, 2, 4, 6 and 9, weighted .1 to .5, each through a trained 1x1 convolution, and both sides
 * standardised by channel, so that no stage weighs more for its magnitude. First the backbone learns the features
 * alone (no labels are read: `pretrain` epochs), then the whole detector learns labels, the teacher's output and the
 * features together. Beside it the same student learns from labels alone for as many batches.
 *
 * `weights` are torchvision's of MobileNetV2; without them the backbone begins with random ones. Stride 2 is the dear
 * skip: at 320 pixels 80 x 160 x 160 values of YOLOv5x, 2 MB a view in int8, of 4 MB for all five.
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
  type RunRef,
  type TrainStepOptions,
} from 'softshard';

/** Layers of student and teacher by stride, and the weights of their features. */
const SKIPS = [
  { student: 1, teacher: 0, weight: 0.1 },
  { student: 3, teacher: 2, weight: 0.2 },
  { student: 6, teacher: 4, weight: 0.3 },
  { student: 13, teacher: 6, weight: 0.4 },
  { student: 17, teacher: 9, weight: 0.5 },
] as const;

/** The skips as terms of the loss, all times `scale`. */
const hints = (scale: number) =>
  SKIPS.map(({ weight, ...pair }) => ({ ...pair, weight: weight * scale, kind: 'mse', norm: 'both' }));

export const command = definePipeline({
  name: 'mobilenetv2-skips',
  summary: 'Distils a YOLOv5 into a MobileNetV2 detector through five skips between their backbones.',
  options: z.strictObject({
    data: z.string().default('coco128.yaml').describe('data yaml'),
    teacher: z.string().default('yolov5n.pt').describe('weights of a YOLOv5 of any size'),
    cfg: z
      .string()
      .default('mobilenetv2.yaml')
      .describe('model yaml of the student, MobileNetV2 in rows 0 to 17'),
    weights: z
      .string()
      .optional()
      .describe('state dict of torchvision’s MobileNetV2; random weights by default'),
    imgsz: z.int().min(32).multipleOf(32).default(320).describe('side of the input'),
    pretrain: z.int().min(0).default(5).describe('epochs that learn the features alone'),
    epochs: z.int().min(1).default(20).describe('epochs that learn labels, output and features together'),
    batchSize: z.int().min(1).default(16).describe('images a batch'),
    views: z.int().min(1).default(1).describe('views an image in the cache'),
    hyp: z.string().optional().describe('hyper-parameters of augmentation and training'),
    output: z.number().min(0).default(1).describe('weight of the teacher’s output'),
    features: z.number().min(0).default(0.02).describe('scale of the skips beside labels and output'),
    valSplit: z
      .enum(['train', 'val', 'test'])
      .default('val')
      .describe('split that the students are measured on'),
    seed: z.int().min(0).default(0).describe('of weights, order and augmentation'),
    folder: z.string().default('runs/mobilenetv2-skips').describe('where cache and runs go'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async (options, context) => {
    const { imgsz, views, hyp, seed, engine, cfg, batchSize, pretrain, epochs, output, features } = options;
    const root = resolve(options.folder);
    const data = dataset(options.data, 'train');
    const teacher = weights(options.teacher);
    const cache = await perform(
      teach({
        ...{ weights: teacher, data, imgsz, views, hyp, seed, engine, cache: join(root, 'cache') },
        ...{ hints: SKIPS.map((skip) => skip.teacher), hintCodec: 'int8' },
      }),
      context,
    );
    const student: Omit<TrainStepOptions, 'name' | 'epochs'> = {
      ...{ cfg, data, imgsz, batchSize, hyp, seed, engine, val: false, project: root },
    };
    const begin =
      options.weights === undefined
        ? {}
        : ({ weights: weights(options.weights), transfer: 'partial' } as const);
    const backbone =
      pretrain === 0
        ? undefined
        : await perform(
            train({
              ...{ ...student, ...begin, cache, epochs: pretrain, name: 'features' },
              set: { distill: { hard: { weight: 0 }, output: { kind: 'none' }, hints: hints(1) } },
            }),
            context,
          );
    const joint = await perform(
      train({
        ...{ ...student, ...begin, cache, epochs, name: 'joint' },
        ...(backbone === undefined ? {} : { weights: weights(backbone.last), transfer: 'full' }),
        set: { distill: { output: { kind: 'soft', weight: output }, hints: hints(features) } },
      }),
      context,
    );
    const labels = await perform(
      train({ ...student, ...begin, epochs: pretrain + epochs, name: 'labels' }),
      context,
    );
    const held = dataset(options.data, options.valSplit);
    const measure = (model: RunRef | typeof teacher): Promise<Evaluation> =>
      perform(evaluate({ model, data: held, imgsz, engine }), context);
    const rows: [string, Evaluation][] = [
      ['teacher', await measure(teacher)],
      ['skips, then jointly', await measure(joint)],
      ['labels alone', await measure(labels)],
    ];
    const written = await perform(
      report({ run: joint, teacher, baseline: labels, data: held, imgsz, rect: false, engine }),
      context,
    );
    return { rows, cache: cache.dir, run: joint.dir, report: written.file };
  },
  describe: ({ rows, report: file }) => `${comparison(rows)}\nreport  ${file}`,
});
