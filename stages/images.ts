/**
 * The plan: which views of which images, cut into units.
 *
 *     softshard plan --data coco128.yaml --imgsz 320
 */
import { z } from 'zod';
import { defineStep, stepMain } from '../src/flow/step-main.ts';
import { preparePlan, viewPlanOptions } from '../src/teach/prepare-plan.ts';

export const command = defineStep({
  name: 'plan',
  summary: 'Lists the views and units of a data set: what teach would do.',
  environment: 'none',
  options: z.strictObject(viewPlanOptions),
  run: async (options, context) => {
    const { dataset, plan } = await preparePlan(options, context);
    const labelled = dataset.samples.filter((sample) => sample.labels !== undefined).length;
    return {
      data: options.data,
      split: dataset.split,
      samples: dataset.samples.length,
      labelled,
      unlabelled: dataset.samples.length - labelled,
      dropped: dataset.dropped,
      classes: dataset.names,
      digest: dataset.digest,
      views: plan.samples * plan.views,
      units: plan.units.map((unit) => ({ unit: unit.index, view: unit.view, views: unit.views.length })),
    };
  },
  describe: (plan) =>
    [
      `${plan.data}, split ${plan.split}: ${plan.samples} images, ${plan.labelled} labelled, ${plan.unlabelled} unlabelled, ${plan.dropped.length} dropped`,
      ...plan.dropped.map(({ path, reason }) => `  dropped ${path}: ${reason}`),
      `${plan.views} views in ${plan.units.length} units of at most ${plan.units[0]?.views ?? 0}`,
      `data digest ${plan.digest}`,
    ].join('\n'),
});

stepMain(import.meta.url, command);
