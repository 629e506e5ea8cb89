/** The options of `train`: one schema for the command line, the library and the help. */
import { z } from 'zod';
import { dataOption } from '../data/data-option.ts';
import { imageCacheOptions } from '../augment/image-cache-options.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { UPDATE_RULES, type UpdateRuleName } from '../optim/update-rule.ts';

const count = z.int().min(1);

export const trainOptionsSchema = z.strictObject({
  data: dataOption,
  cfg: z
    .string()
    .optional()
    .describe(
      'student: a model yaml, or the name of a built-in one; by default what the weights describe, else yolov5p.yaml',
    ),
  weights: z.string().default('').describe('weights to begin with (.pt, safetensors); empty: random ones'),
  transfer: z
    .enum(['full', 'partial'])
    .default('full')
    .describe(
      'full: all weights must fit, but for the class outputs of another number of classes, which begin anew; ' +
        'partial: keep what fits and begin the rest anew',
    ),
  cache: z
    .union([z.array(z.string()).min(1), z.string()])
    .optional()
    .describe(
      'cache of a teacher; without one, training on labels alone. Repeat it to merge caches of the same views; ' +
        'DIR@KIND,... takes only these kinds (heads, feature.4) from one',
    )
    .meta({ repeat: true, placeholder: 'DIR' }),
  merge: z
    .enum(['first', 'mean'])
    .default('first')
    .describe(
      'what answers where several caches hold a kind: the first of them, or the mean of their values',
    ),
  follow: z
    .boolean()
    .default(false)
    .describe(
      'start while softshard teach still makes the cache, and wait for each unit that is not there yet',
    ),
  liveTeacher: z
    .string()
    .optional()
    .describe(
      'weights of a teacher that answers live, in a process of its own, instead of --cache; ' +
        'options of teach as --set teach.OPTION=VALUE',
    )
    .meta({ placeholder: 'FILE' }),
  split: z.enum(['train', 'val', 'test', 'all']).optional().describe('split to train on; train by default'),
  distill: z
    .string()
    .optional()
    .describe('yaml of the distillation terms, or the name of a built-in method such as soft or cwd'),
  set: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('one setting, such as distill.output.weight=1 or hyp.lr0=0.01; repeat it for more'),
  hyp: z
    .string()
    .optional()
    .describe(
      'hyper-parameter yaml, or a built-in one; scratch-low by default (its augmentation without a cache)',
    ),
  imgsz: z
    .int()
    .min(32)
    .multipleOf(32)
    .default(640)
    .describe('side of the square input')
    .meta({ unit: 'pixels' }),
  epochs: count.default(100),
  batchSize: count.default(16).describe('images a batch'),
  nominalBatch: count
    .default(64)
    .describe('images that an optimizer step stands for: gradients of several batches add up'),
  stepsPerEpoch: z
    .int()
    .min(0)
    .default(0)
    .describe('batches an epoch, the data being repeated as needed; 0: one pass over the data'),
  freeze: z
    .array(z.int().min(0))
    .default([])
    .describe(
      'layers that are not trained, such as 0,1,2; one number N means the first N (10: the backbone)',
    ),
  autoAnchor: z
    .boolean()
    .default(false)
    .describe(
      'find anchors that fit the labels, where less than 98 % of the boxes match one; not with a teacher',
    ),
  rect: z
    .boolean()
    .default(false)
    .describe(
      'batches of images of like aspect, with little padding, in one order, without mosaic; on labels alone',
    ),
  multiScale: z
    .boolean()
    .default(false)
    .describe('resize each batch to a drawn size, 0.5 to 1.5 times --imgsz; on labels alone'),
  closeMosaic: z
    .int()
    .min(0)
    .optional()
    .describe(
      'last epochs without mosaic, which use only the last views; that of the cache by default, else 0',
    )
    .meta({ unit: 'epochs' }),
  imageWeights: z
    .boolean()
    .default(false)
    .describe('draw images with replacement, those of rare or badly found classes more often'),
  labelledShare: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'share of each batch that is of labelled images, rounded, at least one view; the rest is of unlabelled ones. ' +
        'Hard loss counts with that share: it is a mean over labelled images. Without, images come as they are shuffled',
    ),
  views: z
    .int()
    .min(0)
    .default(0)
    .describe('augmented views a sample without a cache; 0: a fresh one each pass'),
  unitViews: count.default(64).describe('samples that are shuffled as one block (without a cache)'),
  shuffleViews: count.default(4096).describe('samples inside which single ones are shuffled'),
  optimizer: z
    .enum(Object.keys(UPDATE_RULES) as [UpdateRuleName, ...UpdateRuleName[]])
    .default('sgd')
    .describe('update rule'),
  cosLr: z.boolean().default(false).describe('cosine decay of the learning rate instead of linear'),
  clipNorm: z.number().min(0).default(10).describe('L2 norm that gradients are clipped to; 0: never'),
  warmupIterations: z.int().min(0).default(100).describe('least batches of warm-up'),
  patience: z.int().min(0).default(100).describe('epochs without a better fitness before stopping; 0: never'),
  val: z.boolean().default(true).describe('measure mAP after epochs, where there is a split for it'),
  valSplit: z.enum(['val', 'test', 'train']).default('val').describe('split that mAP is measured on'),
  valEvery: count
    .default(1)
    .describe('epochs from one measurement to the next; the last epoch always has one'),
  perClass: z
    .boolean()
    .default(false)
    .describe('show the results of every class after each measurement')
    .meta({ aliases: ['verbose'] }),
  project: z.string().default('runs').describe('folder of runs'),
  name: z.string().min(1).default('train').describe('folder of this run inside the project'),
  seed: z.int().min(0).default(0).describe('of initial weights, order and augmentation'),
  threads: engineOptions.threads,
  workers: z.int().min(0).default(1).describe('decoding threads; 0 decodes in the main thread'),
  ...imageCacheOptions,
  engine: engineOptions.engine,
  credits: z.int().min(1).default(2048).describe('memory for batches in flight').meta({ unit: 'MB' }),
  checkpointMinutes: z
    .number()
    .positive()
    .default(3)
    .describe('time between checkpoints inside an epoch')
    .meta({ unit: 'minutes' }),
  badImages: z.enum(['drop', 'error']).default('drop').describe('what to do with unusable images and labels'),
  resume: z
    .boolean()
    .default(false)
    .describe(
      'go on with an existing run, and fail if there is none; without --data the last run below --project, or the one ' +
        'of --name, with the options that it has',
    ),
});

export type TrainOptions = z.output<typeof trainOptionsSchema>;

/** Whether a run learns from a teacher, cached or live. */
export const hasTeacher = ({ cache, liveTeacher }: TrainOptions): boolean =>
  cache !== undefined || liveTeacher !== undefined;

/** Options that decide no bit of the result: they may differ when a run is resumed. */
export const FREE_OPTIONS = [
  'data',
  'weights',
  'cache',
  'merge',
  'follow',
  'liveTeacher',
  'distill',
  'set',
  'hyp',
  'cfg',
  'project',
  'name',
  'threads',
  'workers',
  'imageCache',
  'imageCacheBytes',
  'engine',
  'credits',
  'checkpointMinutes',
  'perClass',
  'resume',
  'epochs',
] as const satisfies readonly (keyof TrainOptions)[];

/** The defaults of the options that decide the result, by name; those without one are left out. */
export function defaultIdentityOptions(): Readonly<Record<string, unknown>> {
  const free = new Set<string>(FREE_OPTIONS);
  return Object.fromEntries(
    Object.entries(trainOptionsSchema.shape).flatMap(([name, schema]) => {
      const parsed = schema.safeParse(undefined);
      return free.has(name) || !parsed.success || parsed.data === undefined ? [] : [[name, parsed.data]];
    }),
  );
}
