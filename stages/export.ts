/**
 * Writes a model in other formats: a PyTorch state dict, safetensors, a TF.js graph model.
 *
 *     softshard export --weights runs/train/best.safetensors --format pt,safetensors,tfjs --out exported
 *
 * Each is read back and compared with its source before it appears under its name.
 */
import { realpath } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { z } from 'zod';
import { SoftshardError } from '../src/errors.ts';
import { loadModel } from '../src/evaluate/load-model.ts';
import { EXPORT_FORMATS, exportModel, type Exported } from '../src/export/export-model.ts';
import { engineOptions } from '../src/flow/engine-options.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { parameterCount } from '../src/model/graph.ts';

export const exportOptionsSchema = z.strictObject({
  weights: z.string().describe('weights to export (.pt, safetensors)').meta({ placeholder: 'FILE' }),
  format: z
    .array(z.enum(EXPORT_FORMATS))
    .min(1)
    .describe(`formats to write: ${EXPORT_FORMATS.join(', ')}`)
    .meta({ placeholder: 'A,B,...' }),
  out: z.string().describe('folder to write into').meta({ placeholder: 'DIR' }),
  cfg: z
    .string()
    .optional()
    .describe('model yaml, or the name of a built-in one; needed for a plain state dict'),
  names: z.array(z.string()).optional().describe('class names instead of those of the file'),
  name: z.string().min(1).optional().describe('stem of the files written; that of the weights by default'),
  imgsz: z
    .int()
    .min(32)
    .multipleOf(32)
    .default(640)
    .describe('side of the graph model’s input')
    .meta({ unit: 'pixels' }),
  engine: engineOptions.engine.describe('engine that compares'),
  threads: engineOptions.threads,
});

export type ExportStepOptions = z.output<typeof exportOptionsSchema>;

/** What `softshard export --json` prints. */
export interface ExportStepResult {
  readonly weights: string;
  readonly parameters: number;
  readonly names: readonly string[];
  readonly exports: readonly Exported[];
}

/** Whether two paths are one file; false where either is not there. */
const isSame = async (a: string, b: string): Promise<boolean> => {
  try {
    return (await realpath(a)) === (await realpath(b));
  } catch {
    return false;
  }
};

/** Exports `weights`. See `exportModel` and `loadModel` for the errors. */
export async function exportWeights(
  options: ExportStepOptions,
  context: StepContext,
): Promise<ExportStepResult> {
  const { weights, cfg, names, imgsz } = options;
  const out = resolve(options.out);
  const stem = options.name ?? basename(weights, extname(weights));
  for (const format of options.format) {
    if (!(await isSame(weights, resolve(out, `${stem}.${format}`)))) continue;
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The export would replace the file that it is made from.',
      where: weights,
      remedy: 'Give another --out or --name.',
    });
  }
  const model = await loadModel({ weights, cfg, names });
  const stride = Math.max(...model.graph.head.strides);
  if (options.format.includes('tfjs') && imgsz % stride !== 0) {
    throw new SoftshardError('E_USAGE', {
      message: 'The image size does not fit the model.',
      where: '--imgsz',
      expected: `a multiple of ${stride}`,
      found: String(imgsz),
    });
  }
  const { engine, reason } = await openStepEngine(options);
  context.info(`engine ${engine.info.name} on ${engine.info.device} (${reason})`);
  const exports: Exported[] = [];
  for (const format of new Set(options.format)) {
    if (context.signal.aborted) {
      throw new SoftshardError('E_ABORTED', {
        message: 'The export was cancelled.',
        cause: context.signal.reason,
      });
    }
    const exported = await exportModel({ model, out, stem, imageSize: imgsz, engine }, format);
    context.info(`${format}: ${exported.path}, read back and compared`);
    exports.push(exported);
  }
  return { weights, parameters: parameterCount(model.graph), names: model.names, exports };
}

export const command = defineStep({
  name: 'export',
  summary: 'Writes weights in other formats; each is read back and compared.',
  options: exportOptionsSchema,
  run: exportWeights,
  describe: ({ exports }) =>
    exports
      .map(({ format, path, bytes, difference }) => {
        const equal =
          format === 'tfjs'
            ? `at most ${difference.pixels.toExponential(1)} pixels and ${difference.probabilities.toExponential(1)} of probability apart`
            : 'equal to the bit';
        return `${format.padEnd(12)}${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${path}  (${equal})`;
      })
      .join('\n'),
});

stepMain(import.meta.url, command);
