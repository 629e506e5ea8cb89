/**
 * A chain of teachers (Mirzadeh et al. 2020, "Improved Knowledge Distillation via Teacher Assistant"): the student of
 * one training is the teacher of the next, so that no student is much smaller than what it learns from.
 *
 *     softshard run teacher-chain --set data=coco128.yaml --set teacher=yolov5s.pt
 *     softshard run teacher-chain --set data=bccd.yaml --set teacher=bccd-yolov5m.pt --set 'cfgs=["yolov5s.yaml","yolov5n.yaml"]'
 *
 * Each model of `cfgs` is trained by `method` from the cached answers of the one before; with `direct` the last one is
 * also trained from the first teacher, which is what the assistants must beat. `softshard compare teacher-chain
 * --methods soft,l2` does so over seeds. Time: that of `softshard run method` for each link and the direct one.
 * Result: not measured.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  dataset,
  definePipeline,
  methodNeeds,
  perform,
  readMethod,
  report,
  timedTeach,
  trainMethod,
  weights,
  type MethodStudent,
  type MethodTraining,
} from 'softshard';

const count = z.int().min(1);

export const command = definePipeline({
  name: 'teacher-chain',
  summary: 'Distils through assistants: the student of one training is the teacher of the next.',
  options: z.strictObject({
    method: z.string().default('soft').describe('name of a method, or a yaml of your own'),
    data: z.string().default('coco128.yaml').describe('data yaml with train and val'),
    teacher: z.string().default('yolov5s.pt').describe('weights of the first teacher'),
    cfgs: z
      .array(z.string())
      .min(1)
      .default(['yolov5n.yaml', 'yolov5p.yaml'])
      .describe('model yamls, from the first assistant to the student'),
    direct: z.boolean().default(true).describe('train the student from the first teacher, too'),
    imgsz: z.int().min(32).multipleOf(32).default(320).describe('side of the input'),
    views: count.default(10).describe('augmented views an image that each teacher answers for'),
    steps: count.default(1300).describe('batches of each training'),
    epochs: count.default(100).describe('epochs that the batches are divided into'),
    batchSize: count.default(16).describe('images a batch'),
    nominalBatch: count.default(64).describe('images that an optimizer step stands for'),
    hyp: z.string().default('scratch-low').describe('hyper-parameters of augmentation and training'),
    seed: z.int().min(0).default(0).describe('of weights and order'),
    report: z.boolean().default(true).describe('write report.html'),
    folder: z.string().default('runs/teacher-chain').describe('where caches and runs go'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async (options, context) => {
    const { imgsz, hyp, engine, seed, views, cfgs, steps, epochs, batchSize, nominalBatch } = options;
    const root = resolve(options.folder);
    const method = await readMethod(options.method);
    const { hints } = methodNeeds([method]);
    const data = dataset(options.data, 'train');
    const first = weights(options.teacher);
    let spent: number | null = 0;
    const link = async (teacher: typeof first, cfg: string, cache: string, name: string) => {
      const taught = await timedTeach(
        { ...{ weights: teacher, data, imgsz, hyp, views, hints, engine }, cache: join(root, cache) },
        context,
        () => performance.now(),
      );
      spent = spent === null || taught.seconds === null ? null : spent + taught.seconds;
      const student: MethodStudent = {
        options: {
          ...{ cfg, data, imgsz, hyp, engine, seed, imageCache: 'ram', project: root },
          ...{ batchSize, nominalBatch },
        },
        ...{ steps, epochs },
      };
      return trainMethod(
        { method, name: `${method.name}-${name}-${seed}`, cache: taught.cache, student },
        context,
      );
    };
    const links: MethodTraining[] = [];
    let teacher = first;
    for (const [i, cfg] of cfgs.entries()) {
      // Assistants differ by seed and method; the first teacher does not.
      const cache = i === 0 ? ['cache', ...hints].join('-') : `cache-${method.name}-link-${i}-${seed}`;
      const trained = await link(teacher, cfg, cache, `link-${i + 1}`);
      links.push(trained);
      teacher = weights(trained.run.last);
    }
    const last = links.at(-1);
    if (last === undefined) throw new Error('a chain has a link');
    const direct =
      options.direct && cfgs.length > 1
        ? await link(first, cfgs.at(-1) ?? '', ['cache', ...hints].join('-'), 'direct')
        : undefined;
    const held = dataset(options.data, 'val');
    const written = options.report
      ? await perform(report({ run: last.run, teacher: first, data: held, imgsz, engine }), context)
      : undefined;
    const all = direct === undefined ? links : [...links, direct];
    return {
      ...{ metrics: last.run.metrics, steps: last.steps, lossScale: last.lossScale, readsTeacher: true },
      seconds: { teach: spent, train: all.reduce((sum, { seconds }) => sum + seconds, 0) },
      chain: links.map(({ run }, i) => ({ cfg: cfgs[i] ?? '', run: run.dir, metrics: run.metrics })),
      direct: direct === undefined ? null : { run: direct.run.dir, metrics: direct.run.metrics },
      report: written?.file ?? null,
    };
  },
  describe: ({ chain, direct, report: file }) => {
    const figure = (name: string, metrics: { readonly mAP50_95: number } | null): string =>
      `${name}: mAP50-95 ${metrics?.mAP50_95.toFixed(3) ?? 'not measured'}`;
    return [
      ...chain.map(({ cfg, metrics }, i) => figure(`link ${i + 1}, ${cfg}`, metrics)),
      ...(direct === null ? [] : [figure('the last, straight from the first teacher', direct.metrics)]),
      ...(file === null ? [] : [`report  ${file}`]),
    ].join('\n');
  },
});
