/**
 * The plan: which views of which images, cut into units, and what a teacher's answers to them would take.
 *
 *     softshard plan --data coco128.yaml --imgsz 320
 *     softshard plan --data coco128.yaml --imgsz 320 --weights yolov5n.pt --hints 4,6,9 --cache cache/yolov5n
 *     softshard plan --data coco128.yaml --imgsz 320 --weights yolov5n.pt --codec sparse --estimate
 */
import { z } from 'zod';
import type { Dataset } from '../src/data/sample.ts';
import { isSoftshardError, reasonOf, SoftshardError } from '../src/errors.ts';
import { chooseEngine } from '../src/flow/engine-choice.ts';
import { engineOptions } from '../src/flow/engine-options.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain } from '../src/flow/step-main.ts';
import { openEngine } from '../src/engine/select.ts';
import type { HeadSpec } from '../src/model/detector.ts';
import { buildGraph } from '../src/model/graph.ts';
import { readModelYaml } from '../src/model/model-yaml.ts';
import type { FeatureLayer } from '../src/teach/answer-shapes.ts';
import { featureLayers } from '../src/teach/feature-layers.ts';
import { freeSpace } from '../src/teach/free-space.ts';
import { checkTeacherClasses, loadTeacher } from '../src/teach/load-teacher.ts';
import { planAnswers } from '../src/teach/plan-answers.ts';
import { estimateText, type Estimate } from '../src/teach/estimate.ts';
import { planSummary, planText, type PlanSummary } from '../src/teach/plan-summary.ts';
import { preparePlan, viewPlanOptions } from '../src/teach/prepare-plan.ts';
import { answerOptions, teachOptionsSchema } from '../src/teach/teach-options.ts';

const optionsSchema = z.strictObject({
  ...viewPlanOptions,
  weights: z
    .string()
    .optional()
    .describe('the teacher, to plan its answers too')
    .meta({ placeholder: 'FILE' }),
  cfg: z
    .string()
    .optional()
    .describe('model yaml of the teacher: with --weights as for teach, alone in its place'),
  ...answerOptions,
  cache: z.string().default('.').describe('folder whose free space is shown').meta({ placeholder: 'DIR' }),
  estimate: z
    .boolean()
    .default(false)
    .describe(
      'let the teacher answer some views and write some bytes, to estimate size, bandwidths and time',
    ),
  probeSeconds: z
    .number()
    .positive()
    .default(20)
    .describe('longest time of the estimate, the start of the engine apart')
    .meta({ unit: 's' }),
  studentRate: z
    .number()
    .positive()
    .default(100)
    .describe('speed of the student whose reading is estimated')
    .meta({ unit: 'views/s' }),
  ...teachOptionsSchema.pick({ teachBatch: true, workers: true, threads: true, credits: true }).shape,
  engine: engineOptions.engine,
});

type Options = z.output<typeof optionsSchema>;

/** The teacher that the options name: of its weights, or of a description alone. */
async function describedTeacher(
  options: Options,
  dataset: Dataset,
): Promise<{ readonly head: HeadSpec; readonly features: readonly FeatureLayer[] } | undefined> {
  const { weights, cfg, hints } = options;
  if (weights !== undefined) {
    const teacher = await loadTeacher({ ...options, weights }, dataset, () => openEngine());
    await teacher.close();
    return teacher;
  }
  if (cfg === undefined) return undefined;
  const names = dataset.namesKnown ? { names: dataset.names } : {};
  const graph = buildGraph(readModelYaml(cfg), { ...names, where: cfg });
  return { head: graph.head, features: featureLayers(graph, hints) };
}

export const command = defineStep({
  name: 'plan',
  summary:
    'Lists what teach would do: views, units, the bytes of the answers, free space, and estimates what it costs.',
  environment: (options) => (options.estimate ? chooseEngine(options, undefined, process.env) : undefined),
  options: optionsSchema,
  run: async (options, context): Promise<PlanSummary & { readonly estimate?: Estimate }> => {
    const { dataset, plan, imageSize } = await preparePlan(options, {
      ...context,
      checks: imageCheckStore(),
    });
    const teacher = await describedTeacher(options, dataset);
    if (teacher !== undefined) {
      try {
        checkTeacherClasses(teacher.head, dataset, options.weights ?? options.cfg ?? '');
      } catch (error) {
        if (!isSoftshardError(error, 'E_OPTION_CONFLICT')) throw error;
        context.warn(`teach would refuse this: ${reasonOf(error)}`);
      }
    }
    const planned = teacher && planAnswers(teacher.head, teacher.features, options);
    const summary = planSummary({
      ...{ data: options.data, dataset, plan, imageSize, planned, folder: options.cache },
      freeBytes: await freeSpace(options.cache),
    });
    if (summary.target.fits === false)
      context.warn('teach would refuse this: the answers do not fit on the disk');
    if (!options.estimate) return summary;
    const { weights, probeSeconds, studentRate, ...others } = options;
    if (weights === undefined) {
      throw new SoftshardError('E_USAGE', {
        message: 'An estimate needs the teacher itself.',
        expected: '--weights FILE',
        found: '--estimate without it',
      });
    }
    const { probeTeaching } = await import('./estimate.ts');
    const teaching = teachOptionsSchema.strip().parse({ ...others, weights });
    return { ...summary, estimate: await probeTeaching(teaching, { probeSeconds, studentRate }, context) };
  },
  describe: ({ estimate, ...summary }) =>
    [planText(summary), ...(estimate === undefined ? [] : [estimateText(estimate)])].join('\n'),
});

stepMain(import.meta.url, command);
