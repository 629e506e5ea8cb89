/**
 * Distils a detector by one of the methods that come with the package, or by a yaml of your own.
 *
 *     softshard run method --set method=soft --set data=bccd.yaml --set teacher=bccd-yolov5n.pt
 *     softshard run method --set method=cwd --set data=coco128.yaml --set teacher=yolov5n.pt --set steps=300
 *
 * The teacher answers once; the cache holds what the methods of `cacheFor` (those that are to share it) read. Then the
 * student is trained by the method's stages and measured on the validation split, and its report written. With
 * `labelled=20` only 20 training images keep their labels, and `labelledShare` of each batch is of them.
 *
 * The names of the methods are the files of src/method/configs, described in docs/methods.md. docs/results.md has the
 * command, the time and the result of each on bccd. `softshard compare method` trains several from one cache.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  dataset,
  definePipeline,
  hideLabels,
  methodNeeds,
  perform,
  readMethod,
  report,
  timedTeach,
  trainMethod,
  weights,
} from 'softshard';

const count = z.int().min(1);

/** Caches of other labels, or of other layers, lie side by side. */
const cacheName = (labelled: number | undefined, hints: readonly number[]): string =>
  ['cache', ...(labelled === undefined ? [] : [`labels-${labelled}`]), ...hints].join('-');

export const command = definePipeline({
  name: 'method',
  summary: 'Distils a detector by a method from docs/methods.md.',
  options: z.strictObject({
    method: z.string().default('soft').describe('name of a method, or a yaml of your own'),
    cacheFor: z
      .array(z.string())
      .default([])
      .describe('methods that the cache is to be enough for, beside that one'),
    data: z.string().default('bccd.yaml').describe('data yaml with train and val'),
    teacher: z.string().default('bccd-yolov5n.pt').describe('weights of the teacher'),
    cfg: z.string().default('yolov5p.yaml').describe('model yaml of the student'),
    imgsz: z.int().min(32).multipleOf(32).default(320).describe('side of the input'),
    views: count.default(10).describe('augmented views an image that the teacher answers for'),
    codec: z.string().default('fp16').describe('how the answers are stored'),
    labelled: count.optional().describe('training images that keep their labels; all by default'),
    labelledShare: z.number().gt(0).max(1).optional().describe('share of each batch that is labelled'),
    steps: count.default(1300).describe('batches of the student, to the nearest whole epochs'),
    epochs: count.default(100).describe('epochs that the batches are divided into'),
    batchSize: count.default(16).describe('images a batch'),
    nominalBatch: count.default(64).describe('images that an optimizer step stands for'),
    optimizer: z.enum(['sgd', 'adam', 'adamw']).default('sgd').describe('update rule'),
    lr0: z.number().positive().optional().describe('first learning rate; that of hyp by default'),
    warmupIterations: z.int().min(0).optional().describe('least batches of warm-up; 100 by default'),
    hyp: z.string().default('scratch-low').describe('hyper-parameters of augmentation and training'),
    seed: z.int().min(0).default(0).describe('of weights and order; that of the views is 0'),
    report: z.boolean().default(true).describe('write report.html'),
    folder: z.string().default('runs/method').describe('where cache and runs go'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async (options, context) => {
    const { labelled, labelledShare, imgsz, hyp, engine, seed, lr0, views, codec } = options;
    const root = resolve(options.folder);
    const method = await readMethod(options.method);
    const others = await Promise.all(options.cacheFor.map(readMethod));
    const { teacher: asks, hints } = methodNeeds([method, ...others]);
    const file =
      labelled === undefined ? options.data : await hideLabels(options.data, labelled, join(root, 'data'));
    const data = dataset(file, 'train');
    const teacher = weights(options.teacher);
    const taught = asks
      ? await timedTeach(
          {
            ...{ weights: teacher, data, imgsz, hyp, views, hints, codec, engine },
            cache: join(root, cacheName(labelled, hints)),
          },
          context,
          () => performance.now(),
        )
      : undefined;
    const { steps, epochs, batchSize, nominalBatch, optimizer, warmupIterations, cfg } = options;
    const trained = await trainMethod(
      {
        ...{ method, name: `${method.name}-${seed}`, cache: taught?.cache },
        student: {
          options: {
            ...{ cfg, data, imgsz, hyp, engine, seed, imageCache: 'ram', project: root },
            ...{ batchSize, nominalBatch, optimizer, warmupIterations },
          },
          ...{ steps, epochs, labelledShare },
          hypSettings: lr0 === undefined ? {} : { lr0 },
        },
      },
      context,
    );
    const held = dataset(file, 'val');
    const written = options.report
      ? await perform(report({ run: trained.run, teacher, data: held, imgsz, engine }), context)
      : undefined;
    return {
      ...{ method: method.name, seed, steps: trained.steps, metrics: trained.run.metrics },
      ...{ lossScale: trained.lossScale, readsTeacher: methodNeeds([method]).teacher },
      seconds: { teach: taught?.seconds ?? null, train: trained.seconds },
      ...{ run: trained.run.dir, cache: taught?.cache.dir ?? null, report: written?.file ?? null },
    };
  },
  describe: ({ method, seed, steps, metrics, seconds, report: file, run }) =>
    [
      `${method}, seed ${seed}: ${steps} batches in ${seconds.train.toFixed(0)} s`,
      metrics === null
        ? 'mAP was not measured: the data have no validation split'
        : `mAP50 ${metrics.mAP50.toFixed(3)}, mAP50-95 ${metrics.mAP50_95.toFixed(3)}`,
      `run     ${run}`,
      ...(file === null ? [] : [`report  ${file}`]),
    ].join('\n'),
});
