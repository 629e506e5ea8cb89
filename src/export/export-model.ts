/** Writes a model in other formats, reads each back, and compares. */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { LoadedModel } from '../evaluate/load-model.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { isClassifier } from '../model/detector.ts';
import type { ModelGraph } from '../model/graph.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { checkpointMetadata } from '../weights/checkpoint-metadata.ts';
import { loadWeights } from '../weights/load.ts';
import type { PlainValue } from '../weights/plain-value.ts';
import { writePt } from '../weights/pt-writer.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import { tensorBytes } from '../weights/tensor-bytes.ts';
import { checkDifference, compareTfjs, testImages, type ExportDifference } from './check-tfjs.ts';
import { publish } from './publish.ts';
import { readTfjsFiles, tfjsFiles } from './tfjs-files.ts';
import { INPUT, OUTPUT, tfjsGraph } from './tfjs-graph.ts';

export const EXPORT_FORMATS = ['pt', 'safetensors', 'tfjs'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface Exported {
  readonly format: ExportFormat;
  /** The file, or the folder of the graph model. */
  readonly path: string;
  readonly bytes: number;
  /** Largest differences found on reading back; zero for formats that hold the very values. */
  readonly difference: ExportDifference;
}

export interface ExportTarget {
  readonly model: LoadedModel;
  /** Folder to write into; made where it is not there. */
  readonly out: string;
  /** Stem of the names: `STEM.pt`, `STEM.safetensors`, `STEM_tfjs/`. */
  readonly stem: string;
  /** Side of the graph model's input, pixels. */
  readonly imageSize: number;
  /** Runs the graph model for the comparison. */
  readonly engine: Engine;
}

/** Every entry of the graph in PyTorch's order: anchors and counters that the source lacks are filled in. */
export function completeState(graph: ModelGraph, state: StateDict): Map<string, TensorData> {
  const { anchors, strides } = graph.head;
  return new Map(
    graph.entries.map(({ name, shape, role }): [string, TensorData] => {
      const tensor = state.get(name);
      if (tensor !== undefined) return [name, tensor];
      if (role === 'batches') return [name, { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) }];
      if (role !== 'anchors') throw new Error(`the state has no ${name}`);
      const cells = anchors.flatMap((level, l) => level.flat().map((side) => side / (strides[l] ?? 1)));
      return [name, { dtype: 'float32', shape, data: Float32Array.from(cells) }];
    }),
  );
}

/** Throws E_EXPORT naming the first tensor in which a file, read back, differs from what was to be written. */
export async function checkWeightFile(path: string, state: StateDict): Promise<void> {
  const read = await loadWeights(path);
  const differs = (where: string, expected: string, found: string): SoftshardError =>
    new SoftshardError('E_EXPORT', {
      message: 'The exported weights, read back, are not those that were written.',
      where: `${path}, ${where}`,
      expected,
      found,
    });
  const keys = [...read.state.keys()];
  if (keys.length !== state.size) throw differs('keys', `${state.size} tensors`, `${keys.length} tensors`);
  for (const [key, tensor] of state) {
    const twin = read.state.get(key);
    const text = ({ dtype, shape }: TensorData): string => `${dtype} [${shape.join(', ')}]`;
    if (twin === undefined || text(twin) !== text(tensor)) {
      throw differs(key, text(tensor), twin === undefined ? 'nothing' : text(twin));
    }
    if (Buffer.compare(tensorBytes(twin), tensorBytes(tensor)) !== 0) {
      throw differs(key, 'the values written', 'other values');
    }
  }
}

const NO_DIFFERENCE = { pixels: 0, probabilities: 0 } as const;

async function exportWeightFile(target: ExportTarget, format: 'pt' | 'safetensors'): Promise<Exported> {
  const { graph, names, state } = target.model;
  const path = resolve(target.out, `${target.stem}.${format}`);
  const complete = completeState(graph, state);
  const metadata = checkpointMetadata({
    yaml: graph.yaml as unknown as PlainValue,
    names,
    strides: graph.head.strides,
  });
  return publish(
    path,
    (file) => (format === 'pt' ? writePt(file, complete) : writeSafetensors(file, complete, metadata)),
    async (file) => {
      await checkWeightFile(file, complete);
      return { format, path, bytes: (await stat(file)).size, difference: NO_DIFFERENCE };
    },
  );
}

async function exportTfjs(target: ExportTarget): Promise<Exported> {
  if (isClassifier(target.model.graph.head)) {
    throw new SoftshardError('E_EXPORT', {
      message: 'A classifier cannot be exported as a graph model.',
      expected: 'a detector',
      found: 'a classifier',
      remedy: 'Export it with --format pt,safetensors.',
    });
  }
  const { model, imageSize, engine } = target;
  const { graph, names, state } = model;
  const { na, no, strides } = graph.head;
  const path = resolve(target.out, `${target.stem}_tfjs`);
  const rows = strides.reduce((sum, stride) => sum + na * (imageSize / stride) ** 2, 0);
  const files = tfjsFiles({
    graph: await tfjsGraph(graph, state, imageSize),
    input: { name: INPUT, shape: [-1, imageSize, imageSize, graph.inChannels] },
    output: { name: OUTPUT, shape: [-1, rows, no] },
    metadata: {
      names,
      strides,
      imageSize,
      input: 'RGB, 0...1',
      output: 'cx, cy, w, h [pixels], objectness, class probabilities',
    },
  });
  return publish(
    path,
    async (folder) => {
      await mkdir(folder);
      for (const [name, bytes] of files) await writeFileAtomic(join(folder, name), bytes);
    },
    async (folder) => {
      const x = testImages(imageSize, graph.inChannels);
      try {
        const difference = await compareTfjs(await readTfjsFiles(folder), { graph, state }, engine, x);
        checkDifference(difference, path);
        const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
        return { format: 'tfjs', path, bytes, difference };
      } finally {
        tf.dispose(x);
      }
    },
  );
}

/**
 * Writes one format and compares what is read back with the model: tensors byte for byte, a graph model by running
 * it. Nothing appears under its name before it has passed.
 *
 * Throws E_EXPORT when the two differ, E_FILE, E_DISK_FULL.
 */
export const exportModel = (target: ExportTarget, format: ExportFormat): Promise<Exported> =>
  format === 'tfjs' ? exportTfjs(target) : exportWeightFile(target, format);
