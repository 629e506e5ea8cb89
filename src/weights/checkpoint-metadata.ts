/** What Softshard's own checkpoints say about themselves: JSON texts in the metadata of a safetensors file. */
import { z } from 'zod';
import { SoftshardError, reasonOf } from '../errors.ts';
import type { PlainValue } from './plain-value.ts';
import type { Metadata } from './safetensors.ts';

/** Version of the checkpoint format. An unknown major is refused, an unknown minor accepted. */
export const CHECKPOINT_FORMAT = { format: 'softshard-checkpoint', major: 1, minor: 0 } as const;

/** Metadata keys, each holding JSON. */
export const CHECKPOINT_KEYS = {
  format: 'softshard.format',
  yaml: 'softshard.yaml',
  names: 'softshard.names',
  strides: 'softshard.strides',
} as const;

export interface CheckpointDescription {
  /** The model description. */
  readonly yaml?: PlainValue;
  readonly names?: readonly string[];
  /** Pixels per cell, one a level. */
  readonly strides?: readonly number[];
}

const formatSchema = z.object({
  format: z.literal(CHECKPOINT_FORMAT.format),
  major: z.int(),
  minor: z.int(),
});
const yamlSchema: z.ZodType<PlainValue> = z.json();
const namesSchema = z.array(z.string());
const stridesSchema = z.array(z.number().positive());

/** The metadata of a checkpoint with this description. */
export const checkpointMetadata = ({ yaml, names, strides }: CheckpointDescription): Metadata => ({
  [CHECKPOINT_KEYS.format]: JSON.stringify(CHECKPOINT_FORMAT),
  ...(yaml === undefined ? {} : { [CHECKPOINT_KEYS.yaml]: JSON.stringify(yaml) }),
  ...(names === undefined ? {} : { [CHECKPOINT_KEYS.names]: JSON.stringify(names) }),
  ...(strides === undefined ? {} : { [CHECKPOINT_KEYS.strides]: JSON.stringify(strides) }),
});

/** Parses the JSON under `key`; undefined when there is none. */
function field<T>(metadata: Metadata, key: string, schema: z.ZodType<T>, where: string): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The metadata of a checkpoint are malformed.',
      where: `${where}, ${key}`,
      found: reasonOf(cause),
      cause,
    });
  }
}

/**
 * The description in a checkpoint's metadata; undefined when they are not those of a Softshard checkpoint. Throws
 * E_WEIGHTS_FORMAT when they are malformed or of an unknown major version.
 */
export function checkpointDescription(metadata: Metadata, where: string): CheckpointDescription | undefined {
  const version = field(metadata, CHECKPOINT_KEYS.format, formatSchema, where);
  if (version === undefined) return undefined;
  if (version.major !== CHECKPOINT_FORMAT.major) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A checkpoint has a version that this Softshard cannot read.',
      where,
      expected: `major version ${CHECKPOINT_FORMAT.major}`,
      found: `${version.major}.${version.minor}`,
      remedy: 'Use a newer Softshard.',
    });
  }
  const yaml = field(metadata, CHECKPOINT_KEYS.yaml, yamlSchema, where);
  const names = field(metadata, CHECKPOINT_KEYS.names, namesSchema, where);
  const strides = field(metadata, CHECKPOINT_KEYS.strides, stridesSchema, where);
  return {
    ...(yaml === undefined ? {} : { yaml }),
    ...(names === undefined ? {} : { names }),
    ...(strides === undefined ? {} : { strides }),
  };
}
