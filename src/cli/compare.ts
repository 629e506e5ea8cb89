/** `softshard compare PIPELINE --methods A,B`: several methods from one cache at equal steps, beside controls. */
import { basename, resolve } from 'node:path';
import { z } from 'zod';
import { compareMethods } from '../compare/comparison.ts';
import { writeComparison } from '../compare/comparison-files.ts';
import { comparisonText } from '../compare/comparison-text.ts';
import type { MethodRun } from '../compare/method-run.ts';
import { runComparison } from '../compare/run-comparison.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';
import { CONTROLS, METHODS } from '../method/registry.ts';
import { argvOf, commandLine } from './argv-of.ts';

export const compareOptionsSchema = z.strictObject({
  pipeline: z
    .string()
    .default('method')
    .describe('pipeline with the options method, seed and folder; by default method')
    .meta({ positional: true, placeholder: 'PIPELINE' }),
  methods: z
    .array(z.string())
    .min(1)
    .describe(`methods to compare, each a name or a yaml file. Names: ${METHODS.join(', ')}`),
  controls: z
    .array(z.string())
    .default([...CONTROLS])
    .describe('methods without a teacher that all are measured against'),
  seeds: z.int().min(1).default(3).describe('seeds of each, 0 and up'),
  metric: z
    .array(z.string())
    .min(1)
    .default(['mAP50_95', 'mAP50'])
    .describe('figures of the pipeline to tabulate; the first decides'),
  folder: z.string().default('runs/compare').describe('where cache, runs and results go'),
  set: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('an option of the pipeline, such as data=bccd.yaml or steps=300; repeat it for more'),
});

export type CompareOptions = z.output<typeof compareOptionsSchema>;

const nameOf = (method: string): string => basename(method).replace(/\.ya?ml$/, '');

export const command = defineStep({
  name: 'compare',
  summary:
    'Trains several methods from one cache at equal steps, beside controls, and tabulates them. The same command again resumes.',
  environment: 'none',
  options: compareOptionsSchema,
  run: async (options, context) => {
    const { pipeline, seeds, set, metric, controls } = options;
    const folder = resolve(options.folder);
    const methods = [...new Set([...controls, ...options.methods])];
    const runs: MethodRun[] = [];
    const comparison = (): ReturnType<typeof compareMethods> =>
      compareMethods(runs, methods.map(nameOf), controls.map(nameOf), metric);
    const argv = argvOf(compareOptionsSchema, options);
    let files = { page: '', markdown: '' };
    for await (const run of runComparison({ pipeline, methods, seeds, folder, set }, context)) {
      runs.push(run);
      files = await writeComparison(comparison(), folder, commandLine('compare', argv));
    }
    return { ...files, runs, text: comparisonText(comparison()) };
  },
  describe: ({ text, page, markdown }) => `${text}\n\npage   ${page}\ntable  ${markdown}`,
});

stepMain(import.meta.url, command);
