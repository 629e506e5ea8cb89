/** A TF.js graph model as files: model.json and shards of its constants. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { reasonOf, SoftshardError } from '../errors.ts';
import { attr, dataType, type GraphDef } from './graph-def.ts';

/** Largest shard, bytes (4 MiB): what browsers cache well. */
export const SHARD_BYTES = 4_194_304;

/** A named tensor at the edge of the graph. */
export interface GraphEdge {
  readonly name: string;
  /** -1 where a length is open. */
  readonly shape: readonly number[];
}

export interface TfjsModel {
  readonly graph: GraphDef;
  readonly input: GraphEdge;
  readonly output: GraphEdge;
  /** Kept as `userDefinedMetadata`. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

const bytesOf = ({ data }: { readonly data: Float32Array | Int32Array }): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const signature = ({ name, shape }: GraphEdge) => {
  const { shape: tensorShape } = attr.shape(shape) as { shape: unknown };
  return { [name]: { name: `${name}:0`, dtype: dataType('float32'), tensorShape } };
};

/** The files of a model by name; model.json is the last. A function of the model alone. */
export function tfjsFiles(model: TfjsModel): Map<string, Uint8Array> {
  const { constants, nodes } = model.graph;
  const weights = Buffer.concat(constants.map(bytesOf));
  const count = Math.max(1, Math.ceil(weights.length / SHARD_BYTES));
  const shards = Array.from(
    { length: count },
    (_, i) =>
      [
        `group1-shard${i + 1}of${count}.bin`,
        weights.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
      ] as const,
  );
  const description = {
    format: 'graph-model',
    generatedBy: 'softshard',
    convertedBy: null,
    signature: { inputs: signature(model.input), outputs: signature(model.output) },
    userDefinedMetadata: model.metadata,
    modelTopology: { node: nodes, library: {}, versions: { producer: 1 } },
    weightsManifest: [
      {
        paths: shards.map(([name]) => name),
        weights: constants.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
      },
    ],
  };
  return new Map<string, Uint8Array>([...shards, ['model.json', Buffer.from(JSON.stringify(description))]]);
}

const modelSchema = z.looseObject({
  format: z.literal('graph-model'),
  signature: z.record(z.string(), z.unknown()),
  userDefinedMetadata: z.record(z.string(), z.json()).optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string().regex(/^[^/\\]+$/)),
      weights: z.array(
        z.object({ name: z.string(), shape: z.array(z.number()), dtype: z.enum(['float32', 'int32']) }),
      ),
    }),
  ),
});

/** Reads a model's files for `loadGraphModel`. Throws E_FILE when they are missing or malformed. */
export async function readTfjsFiles(folder: string): Promise<io.ModelArtifacts> {
  const file = join(folder, 'model.json');
  try {
    const description = modelSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    const groups = description.weightsManifest;
    const shards = await Promise.all(
      groups.flatMap(({ paths }) => paths.map((path) => readFile(join(folder, path)))),
    );
    const bytes = new Uint8Array(shards.reduce((sum, shard) => sum + shard.length, 0));
    let at = 0;
    for (const shard of shards) {
      bytes.set(shard, at);
      at += shard.length;
    }
    const artifacts: io.ModelArtifacts = {
      format: description.format,
      modelTopology: description.modelTopology,
      signature: description.signature,
      weightSpecs: groups.flatMap(({ weights }) => weights),
      weightData: bytes.buffer,
    };
    if (description.userDefinedMetadata !== undefined) {
      artifacts.userDefinedMetadata = description.userDefinedMetadata as Record<string, object>;
    }
    return artifacts;
  } catch (cause) {
    throw new SoftshardError('E_FILE', {
      message: 'A graph model cannot be read.',
      where: file,
      found: reasonOf(cause),
      cause,
    });
  }
}
