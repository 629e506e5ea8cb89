/** Loads weights of any known format, told by content and not by name. */
import { SoftshardError } from '../errors.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { withFileSource, type ByteSource } from './byte-source.ts';
import { checkpointDescription } from './checkpoint-metadata.ts';
import { readDarknetSource } from './darknet.ts';
import type { PlainValue } from './plain-value.ts';
import { readPtSource } from './pt-reader.ts';
import { readSafetensorsSource, type Metadata } from './safetensors.ts';
import { sniffWeights } from './sniff.ts';

export type WeightsFormat = 'pt-model' | 'pt-state' | 'safetensors' | 'softshard-checkpoint' | 'darknet';

export interface LoadedWeights {
  /** In the dtypes of the file; of darknet, whose values have no names, all under one key (see `graphTensors`). */
  readonly state: StateDict;
  readonly format: WeightsFormat;
  /** The model description; absent from plain state dicts and foreign safetensors. */
  readonly yaml?: PlainValue;
  readonly names?: readonly string[];
  /** Pixels per cell, one a level. */
  readonly strides?: readonly number[];
  /** Text by key; safetensors only. */
  readonly metadata?: Metadata;
}

/**
 * Reads a `.pt` file (either container), a safetensors file, darknet's `.weights`, or a checkpoint of Softshard. Throws E_FILE,
 * E_WEIGHTS_FORMAT (naming what the file is instead, where that can be told) or E_WEIGHTS_UNSAFE.
 */
export const loadWeights = (path: string): Promise<LoadedWeights> => withFileSource(path, loadWeightsSource);

/** As `loadWeights`, from a source. */
export async function loadWeightsSource(source: ByteSource): Promise<LoadedWeights> {
  const kind = await sniffWeights(source);
  if (kind === 'pt') {
    const { state, yaml, names, stride, isPickledModel } = await readPtSource(source);
    return {
      state,
      format: isPickledModel ? 'pt-model' : 'pt-state',
      ...(yaml === undefined ? {} : { yaml }),
      ...(names === undefined ? {} : { names }),
      ...(stride === undefined ? {} : { strides: stride }),
    };
  }
  if (kind === 'darknet') return { state: await readDarknetSource(source), format: 'darknet' };
  const { state, metadata } = await readSafetensorsSource(source);
  if (state.size === 0) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A weight file holds no tensors.',
      where: source.name,
    });
  }
  const description = checkpointDescription(metadata, source.name);
  if (description === undefined) return { state, format: 'safetensors', metadata };
  return { state, format: 'softshard-checkpoint', metadata, ...description };
}
