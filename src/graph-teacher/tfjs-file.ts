/** A TensorFlow.js graph model that the engine of this process runs, with any intermediate tensor as an output. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { z } from 'zod';
import { writePixels } from '../data/unit-pixels.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { reasonOf, SoftshardError } from '../errors.ts';
import { readTfjsFiles } from '../export/tfjs-files.ts';
import type { GraphDescription } from './graph-description.ts';
import type { AskedTensor, GraphFile, GraphSession } from './graph-file.ts';

const size = z.union([z.string(), z.number()]).transform(Number);
const shape = z.looseObject({ dim: z.array(z.looseObject({ size })).default([]) });

const topologySchema = z.looseObject({
  node: z.array(
    z.looseObject({
      name: z.string(),
      op: z.string(),
      input: z.array(z.string()).default([]),
      attr: z.looseObject({ shape: z.looseObject({ shape: shape.optional() }).optional() }).optional(),
    }),
  ),
});

const namesSchema = z.looseObject({ names: z.array(z.string()) });

type Topology = z.output<typeof topologySchema>;

/** `NAME:0` and control inputs `^NAME` name the node. */
const nodeName = (input: string): string => input.replace(/^\^/, '').replace(/:\d+$/, '');

function descriptionOf({ node }: Topology): GraphDescription {
  const read = new Set(node.flatMap(({ input }) => input.map(nodeName)));
  return {
    nodes: node.map(({ name, op, input }) => ({ op, inputs: input.map(nodeName), outputs: [name] })),
    outputs: node.map(({ name }) => name).filter((name) => !read.has(name)),
    constants: new Set(),
  };
}

interface ImageInput {
  readonly name: string;
  /** undefined where a dimension is free. */
  readonly dims: readonly (number | undefined)[];
}

/** The one placeholder [N, S, S, 3]. Throws E_WEIGHTS_FORMAT for any other. */
function imageInput({ node }: Topology, where: string): ImageInput {
  const inputs = node
    .filter(({ op }) => op === 'Placeholder')
    .map(({ name, attr }): ImageInput => {
      const dims = (attr?.shape?.shape?.dim ?? []).map((dim) => (dim.size > 0 ? dim.size : undefined));
      return { name, dims };
    });
  const [input] = inputs;
  const [, height, width, channels] = input?.dims ?? [];
  if (input?.dims.length === 4 && inputs.length === 1 && channels === 3 && height === width) return input;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'The graph model does not take images as a detector does.',
    where,
    expected: 'one input [N, S, S, 3]',
    found:
      inputs.map(({ name, dims }) => `${name} [${dims.map((each) => each ?? '?').join(', ')}]`).join('; ') ||
      'no input',
  });
}

function digestOf({ modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts): string {
  const hash = createHash('sha256').update(JSON.stringify([modelTopology, weightSpecs]));
  for (const part of weightData === undefined ? [] : [weightData].flat()) hash.update(new Uint8Array(part));
  return hash.digest('hex');
}

/**
 * Reads a graph model: its folder, or the path of its model.json. Throws E_FILE, E_WEIGHTS_FORMAT.
 *
 * @param info The engine that is open in this process.
 */
export async function openTfjsFile(path: string, info: EngineInfo): Promise<GraphFile> {
  const artifacts = await readTfjsFiles(path.endsWith('.json') ? dirname(path) : path);
  const topology = topologySchema.parse(artifacts.modelTopology);
  const input = imageInput(topology, path);
  const names = namesSchema.safeParse(artifacts.userDefinedMetadata).data?.names;

  const open = async (tensors: readonly AskedTensor[]): Promise<GraphSession> => {
    const refused = (cause: unknown): SoftshardError =>
      new SoftshardError('E_ENGINE', {
        message: `The engine ${info.name} cannot run the graph model.`,
        where: path,
        found: reasonOf(cause),
        cause,
      });
    const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) }).catch((error: unknown) => {
      throw refused(error);
    });
    const run: GraphSession['run'] = (images, side, count) =>
      Promise.resolve().then(() => {
        const pixels = new Float32Array(images.length * side * side * 3);
        images.forEach((image, i) => writePixels(image, pixels, i));
        const x = tf.tensor4d(pixels, [images.length, side, side, 3]);
        const asked = tensors.slice(0, count).map(({ tensor }) => tensor);
        let results: tf.Tensor[] = [];
        try {
          results = [model.execute({ [input.name]: x }, asked)].flat();
          return results.map((each) => ({ shape: each.shape, values: each.dataSync<'float32'>() }));
        } catch (error) {
          throw refused(error);
        } finally {
          tf.dispose([x, ...results]);
        }
      });
    return {
      run,
      close: () => {
        model.dispose();
        return Promise.resolve();
      },
    };
  };

  return {
    format: 'tfjs',
    description: descriptionOf(topology),
    digest: digestOf(artifacts),
    ...{ batch: input.dims[0], side: input.dims[1], names, channels: 'last' },
    runtime: {},
    open,
  };
}
