/** What `plan`, `decode` and `teach` share: a data set, its plan, and how each view is drawn. */
import { z } from 'zod';
import { augmentationOfView, checkCloseMosaic } from '../augment/close-mosaic.ts';
import { LETTERBOX_ONLY, type Augmentation } from '../augment/augmentation.ts';
import { drawView } from '../augment/draw-view.ts';
import { augmentationOf, readHyp } from '../augment/hyp.ts';
import { partnerIdentity } from '../augment/partners.ts';
import { settingGroups } from '../flow/setting-groups.ts';
import { canonicalJson } from '../text/canonical-json.ts';
import type { Identity } from '../cache/identity.ts';
import { dataOption } from '../data/data-option.ts';
import type { ImageCheckStore } from '../data/image-checks.ts';
import { makePlan, type Plan, type Unit, type ViewKey } from '../data/plan.ts';
import { readDataset } from '../data/read-dataset.ts';
import type { Dataset } from '../data/sample.ts';
import type { ViewRecord } from '../data/view.ts';
import { SoftshardError } from '../errors.ts';

/** Options by which views are chosen and made. */
export const viewPlanOptions = {
  data: dataOption,
  split: z
    .enum(['train', 'val', 'test', 'all'])
    .optional()
    .describe('split; train, or all of a folder without one'),
  imgsz: z
    .int()
    .min(32)
    .multipleOf(32)
    .default(640)
    .describe('side of the square views')
    .meta({ unit: 'pixels' }),
  views: z.int().min(1).default(1).describe('augmented views a sample'),
  closeMosaic: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'last views of each sample that are made without mosaic, for as many last epochs; below --views',
    ),
  unitViews: z
    .int()
    .min(1)
    .default(64)
    .describe('views a unit: what is written, replayed and resumed at once'),
  hyp: z
    .string()
    .optional()
    .describe('hyper-parameter yaml whose augmentation keys are used; letterbox only by default'),
  set: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('one augmentation setting, such as hyp.mosaic=0; repeat it for more'),
  seed: z.int().min(0).default(0).describe('of the augmentation'),
  badImages: z
    .enum(['drop', 'error'])
    .default('error')
    .describe('what to do with unusable images and labels'),
} as const;

export type ViewPlanOptions = z.output<z.ZodObject<typeof viewPlanOptions>>;

export interface PreparedPlan {
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly imageSize: number;
  readonly augmentation: Augmentation;
  /** Last views of each sample that are without mosaic. */
  readonly closeMosaic: number;
  /** Identity of the pixels alone. */
  readonly identity: Identity;
  readonly recordOf: (key: ViewKey) => ViewRecord;
}

export interface PlanContext {
  readonly signal: AbortSignal;
  /** Where what was found about images is kept; nowhere by default. */
  readonly checks?: ImageCheckStore | undefined;
  warn(message: string): void;
}

/** Reads the data set and cuts it into units. Throws E_DATA_*, E_IMAGE, E_LABEL, E_HYP, E_USAGE. */
export async function preparePlan(options: ViewPlanOptions, context: PlanContext): Promise<PreparedPlan> {
  const { data, split, badImages, imgsz, views, unitViews, seed, set, closeMosaic: closed } = options;
  checkCloseMosaic(views, closed);
  const { hyp: changes } = settingGroups(set, ['hyp'], 'hyp.KEY=VALUE with an augmentation key');
  const augmentation =
    options.hyp === undefined && Object.keys(changes).length === 0
      ? LETTERBOX_ONLY
      : augmentationOf(await readHyp(options.hyp ?? 'no-augmentation', changes));
  const dataset = await readDataset({
    data,
    split,
    badImages,
    signal: context.signal,
    checks: context.checks,
    onWarning: (message) => context.warn(message),
  });
  for (const { path, reason } of dataset.dropped) context.warn(`dropped ${path}: ${reason}`);
  const plan = makePlan({ samples: dataset.samples.length, views, unitViews });
  return {
    dataset,
    plan,
    imageSize: imgsz,
    augmentation,
    identity: canonicalJson({
      data: dataset.digest,
      dropped: dataset.dropped.map(({ path }) => path),
      seed,
      augmentation,
      partners: partnerIdentity(dataset.samples, augmentation),
      preprocessing: { imgsz },
      ...(closed === 0 ? {} : { closeMosaic: closed }),
    }) as Identity,
    closeMosaic: closed,
    recordOf: (key) => {
      const drawn = augmentationOfView(augmentation, key.view, { views, closed });
      return drawView(key, dataset.samples, imgsz, drawn, seed);
    },
  };
}

/** The units that `A-B` (0-based, inclusive) or `A` names; all without a range. Throws E_USAGE. */
export function selectUnits(plan: Plan, range: string | undefined): readonly Unit[] {
  if (range === undefined) return plan.units;
  const match = /^(\d+)(?:-(\d+))?$/.exec(range.trim());
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > last || last >= plan.units.length) {
    throw new SoftshardError('E_USAGE', {
      message: 'The range of units cannot be used.',
      where: '--units',
      expected: `A-B with 0 <= A <= B <= ${plan.units.length - 1}`,
      found: range,
    });
  }
  return plan.units.slice(first, last + 1);
}
