/**
 * The real job: yolov5n distilled into the graph of width 0.125 on coco128.
 *
 *     softshard run coco128 --set data=coco128.yaml --set teacher=yolov5n.pt --set imgsz=320 --set epochs=3
 *
 * The teacher answers once for every view (letterbox only unless `hyp` says otherwise) and the student learns from
 * labels and answers. 128 pictures are too few to train a detector from random weights: this shows that the whole works
 * on real input. Measured on the training pictures themselves, native TensorFlow on 2 cores, mAP50 and mAP50-95:
 *
 *     imgsz=320, epochs=100   teacher .467 .295   student .074 .042   (13 minutes of CPU time)
 *     imgsz=640, epochs=3     teacher .550 .355   student .000 .000   (3 minutes of CPU time)
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
} from 'softshard';

export const command = definePipeline({
  name: 'coco128',
  summary: 'Distils yolov5n into a student of width 0.125 on coco128.',
  options: z.strictObject({
    data: z.string().default('coco128.yaml').describe('data yaml of coco128'),
    teacher: z.string().default('yolov5n.pt').describe('weights of the teacher'),
    cfg: z.string().default('yolov5p.yaml').describe('model yaml of the student'),
    imgsz: z
      .union([z.literal(320), z.literal(640)])
      .default(320)
      .describe('side of the input: 320 or 640'),
    epochs: z.int().min(1).default(3).describe('passes over the data'),
    batchSize: z.int().min(1).default(16).describe('images a batch'),
    views: z.int().min(1).default(1).describe('views an image in the cache'),
    hyp: z.string().optional().describe('hyper-parameters of augmentation and training'),
    seed: z.int().min(0).default(0).describe('of weights, order and augmentation'),
    folder: z.string().default('runs/coco128').describe('where cache and run go'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async ({ folder, imgsz, views, hyp, seed, engine, cfg, epochs, batchSize, ...paths }, context) => {
    const root = resolve(folder);
    const data = dataset(paths.data, 'train');
    const teacher = weights(paths.teacher);
    const cache = await perform(
      teach({ weights: teacher, data, imgsz, views, hyp, seed, engine, cache: join(root, `cache-${imgsz}`) }),
      context,
    );
    const run = await perform(
      train({
        ...{ cfg, data, cache, imgsz, epochs, batchSize, hyp, seed, engine, val: false },
        ...{ project: root, name: `student-${imgsz}` },
      }),
      context,
    );
    const held = dataset(paths.data, 'val');
    const ofTeacher = await perform(evaluate({ model: teacher, data: held, imgsz, engine }), context);
    const student = await perform(evaluate({ model: run, data: held, imgsz, engine }), context);
    const written = await perform(report({ run, teacher, data: held, imgsz, rect: false, engine }), context);
    return { teacher: ofTeacher, student, cache: cache.dir, run: run.dir, report: written.file };
  },
  describe: (result) =>
    [
      comparison([
        ['teacher', result.teacher],
        ['student', result.student],
      ]),
      `report  ${result.report}`,
    ].join('\n'),
});
