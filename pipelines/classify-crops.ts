/**
 * Logits with a temperature, on real images: what are the cells of bccd, with the class of few of them told?
 *
 *     softshard run classify-crops --set data=bccd.yaml
 *
 * It cuts the labelled boxes out, trains a teacher on all of them, hides the classes of most, and lets the teacher
 * answer once for every training crop: six bytes a view. From that one cache a small student is trained at each
 * temperature, on the few labels and on the teacher's logits for all crops; once by logits alone, without any label;
 * once with the sigmoid form; and, without the teacher, on the few labels for as many batches. All are measured on the
 * crops of the validation split.
 *
 * With the defaults, one seed, native TensorFlow on 2 cores (2.4 minutes of CPU), accuracy and the mean of the three
 * classes' own on 470 crops; 72 of 723 training crops have a label:
 *
 *     teacher, all labels        .964  .932
 *     few labels                 .885  .789
 *     softmax, T = 1             .800  .773
 *     softmax, T = 2             .838  .703
 *     softmax, T = 4             .874  .768
 *     softmax, T = 8             .885  .787
 *     softmax, T = 20            .881  .779
 *     softmax, T = 4, no labels  .877  .771
 *     sigmoid, T = 4             .796  .624
 *
 * So in 200 steps the teacher adds nothing to labels that are told, on three classes as unlike as these; its logits
 * alone, without any label, come within .01 of them; and a temperature of 8 or more serves best. The student without a
 * teacher sees flipped crops at every pass, the others one view a crop. One seed: differences of a few hundredths are
 * noise.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  classificationTable,
  classify,
  crop,
  dataset,
  definePipeline,
  perform,
  report,
  shippedFile,
  teach,
  train,
  type Classification,
  type RunRef,
  type TrainStepOptions,
} from 'softshard';

const EPOCHS = 5;

export const command = definePipeline({
  name: 'classify-crops',
  summary: 'Distils a classifier of cut-out boxes over a sweep of temperatures, with few labels.',
  options: z.strictObject({
    data: z.string().default('bccd.yaml').describe('data yaml of a detection data set'),
    teacherCfg: z
      .string()
      .default(shippedFile('pipelines/crops-teacher.yaml'))
      .describe('model yaml of the teacher, such as mobilenetv3-small-cls.yaml'),
    cfg: z
      .string()
      .default(shippedFile('pipelines/crops-student.yaml'))
      .describe('model yaml of the student, such as mobilenetv2-0.25-cls.yaml'),
    imgsz: z.int().min(32).multipleOf(32).default(64).describe('side of the input'),
    perClass: z.int().min(0).default(300).describe('most crops of a class in a split; 0 for all'),
    unlabelled: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe('share of the training crops whose class is hidden'),
    temperatures: z
      .array(z.number().positive())
      .min(1)
      .default([1, 2, 4, 8, 20])
      .describe('temperatures to train with, as in temperatures=[1,4,20]'),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .describe('weight of the soft term; the hard one gets 1 - alpha'),
    teacherSteps: z.int().min(1).default(250).describe('batches of the teacher'),
    steps: z.int().min(1).default(200).describe('batches of each student'),
    batchSize: z.int().min(4).default(32).describe('images a batch'),
    seed: z.int().min(0).default(0).describe('of crops, weights and order'),
    folder: z.string().default('runs/classify-crops').describe('where everything goes'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async (options, context) => {
    const { imgsz, perClass, unlabelled, temperatures, alpha, steps, batchSize, seed, engine } = options;
    const root = resolve(options.folder);
    const source = dataset(options.data);
    const cut = { data: source, perClass, seed };
    const all = await perform(crop({ ...cut, out: join(root, 'crops') }), context);
    const few = await perform(
      crop({ ...cut, out: join(root, 'few-labels'), unlabelledShare: unlabelled }),
      context,
    );
    const training = (of: number): Omit<TrainStepOptions, 'name' | 'cfg' | 'data'> => ({
      ...{ imgsz, batchSize, nominalBatch: batchSize, seed, engine, val: false, project: root },
      ...{ epochs: EPOCHS, stepsPerEpoch: Math.ceil(of / EPOCHS), optimizer: 'adam', cosLr: true },
      ...{ hyp: 'no-augmentation', imageCache: 'ram' },
    });
    const hyp = { lr0: 0.003, warmup_epochs: 0.5, flipud: 0.5, fliplr: 0.5 };
    const teacher = await perform(
      train({
        ...{ ...training(options.teacherSteps), cfg: options.teacherCfg, data: all, name: 'teacher' },
        set: { hyp },
      }),
      context,
    );
    const cache = await perform(
      teach({
        ...{ weights: { kind: 'weights', file: teacher.last }, data: few, imgsz, engine },
        ...{ cache: join(root, 'cache'), teachBatch: 32 },
      }),
      context,
    );
    const student = { ...training(steps), cfg: options.cfg, data: few };
    const distilled = async (name: string, classifier: object): Promise<RunRef> =>
      perform(
        train({
          ...{ ...student, cache, labelledShare: 0.25, name },
          set: { hyp: { lr0: hyp.lr0, warmup_epochs: hyp.warmup_epochs }, distill: { classifier } },
        }),
        context,
      );
    const measure = (model: RunRef): Promise<Classification> =>
      perform(classify({ model, data: dataset(all.data, 'val'), imgsz, engine }), context);
    const rows: [string, Classification][] = [['teacher, all labels', await measure(teacher)]];
    const labels = await perform(train({ ...student, name: 'labels', set: { hyp } }), context);
    rows.push(['few labels', await measure(labels)]);
    let first: RunRef | undefined;
    for (const temperature of temperatures) {
      const run = await distilled(`T${temperature}`, { temperature, alpha });
      first ??= run;
      rows.push([`softmax, T = ${temperature}`, await measure(run)]);
    }
    const alone = await distilled('no-labels', { temperature: 4, alpha: 1 });
    rows.push(['softmax, T = 4, no labels', await measure(alone)]);
    const sigmoid = await distilled('sigmoid', { kind: 'sigmoid', temperature: 4, alpha });
    rows.push(['sigmoid, T = 4', await measure(sigmoid)]);
    const written = await perform(
      report({
        ...{ run: first ?? alone, teacher: { kind: 'weights', file: teacher.last }, baseline: labels },
        ...{ data: dataset(all.data, 'val'), imgsz, rect: false, engine },
      }),
      context,
    );
    return { rows, crops: all.data, cache: cache.dir, report: written.file };
  },
  describe: ({ rows, report: file }) => `${classificationTable(rows)}\nreport  ${file}`,
});
