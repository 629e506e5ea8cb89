/** Reads model descriptions in the YOLOv5 yaml grammar. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { reasonOf, SoftshardError } from '../errors.ts';

const row = z.tuple([
  z.union([z.number().int(), z.array(z.number().int())]),
  z.number().int().min(1),
  z.string(),
  z.array(z.unknown()),
]);

/** A model description: `from, number, module, args` rows with depth and width multiples. */
export const modelYamlSchema = z.looseObject({
  nc: z.number().int().min(1).default(80),
  depth_multiple: z.number().positive().default(1),
  width_multiple: z.number().positive().default(1),
  /** Channel counts are rounded up to a multiple of this. */
  channel_multiple: z.number().int().min(1).default(8),
  /**
   * Anchors in pixels, w and h alternating, one list a level; a number only counts them, and is not accepted. A
   * classifier has none.
   */
  anchors: z.array(z.array(z.number().positive()).min(2)).default([]),
  ch: z.number().int().min(1).default(3),
  activation: z.string().optional(),
  backbone: z.array(row).min(1),
  head: z.array(row).min(1),
});

export type ModelYaml = z.infer<typeof modelYamlSchema>;

/** Checks parsed yaml. `where` names its source in errors. Throws E_MODEL_YAML. */
export function checkModelYaml(value: unknown, where: string): ModelYaml {
  const result = modelYamlSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SoftshardError('E_MODEL_YAML', {
    message: 'The model description does not follow the grammar.',
    where: `${where}${issue === undefined ? '' : `, key ${issue.path.join('.')}`}`,
    ...(issue === undefined ? {} : { found: issue.message }),
    expected:
      'nc, depth_multiple, width_multiple, anchors, backbone and head, each row [from, number, module, args]',
  });
}

const builtIn = (name: string): string => fileURLToPath(new URL(`./configs/${name}`, import.meta.url));

/**
 * Reads a description from a file, or by the name of a built-in one (`yolov5n.yaml`, `yolov5p.yaml`, ...) where no
 * such file exists. Throws E_MODEL_YAML when it cannot be read or is not valid.
 */
export function readModelYaml(path: string): ModelYaml {
  const bundled = builtIn(basename(path));
  const file = existsSync(path) || basename(path) !== path || !existsSync(bundled) ? path : bundled;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SoftshardError('E_MODEL_YAML', {
      message: 'The model description cannot be read.',
      where: path,
      expected: 'a yaml file, or the name of a built-in one such as yolov5n.yaml',
      cause,
    });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new SoftshardError('E_MODEL_YAML', {
      message: 'The model description is not valid yaml.',
      where: path,
      found: reasonOf(cause),
      cause,
    });
  }
  return checkModelYaml(value, path);
}
