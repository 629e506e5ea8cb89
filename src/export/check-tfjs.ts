/** Runs an exported graph model beside the model that it was made from. */
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { Engine } from '../engine/engine.ts';
import { portableOps } from '../engine/ops/portable.ts';
import { SoftshardError } from '../errors.ts';
import { decodeHeads, type HeadLevel } from '../metric/box-decode.ts';
import type { ModelGraph } from '../model/graph.ts';
import { createInference } from '../model/inference.ts';
import type { StateDict } from '../model/tensor-data.ts';
import { drawKey, unitUniform } from '../random/keyed.ts';

/**
 * Largest differences allowed. The graph decodes in float32, the library in float64; with s in 0...1 known to 6e-8,
 * coordinates of some 1000 pixels differ by some 1e-4 pixels, probabilities by 1e-7. Ten times that is left for
 * kernels that sum in another order.
 */
export const PIXEL_TOLERANCE = 1e-3;
export const PROBABILITY_TOLERANCE = 1e-5;

export interface ExportDifference {
  /** Of cx, cy, w, h, pixels. */
  readonly pixels: number;
  /** Of objectness and class probabilities. */
  readonly probabilities: number;
}

/** Two test images [2, S, S, C] in 0...1: noise of full contrast, and a smooth pattern with noise on it. */
export function testImages(imageSize: number, channels: number): tf.Tensor4D {
  const size = imageSize * imageSize * channels;
  const data = new Float32Array(2 * size);
  const key = drawKey(0, 'export-check');
  for (let i = 0; i < size; i++) {
    const noise = unitUniform(key, i);
    const [x, y] = [Math.floor(i / channels) % imageSize, Math.floor(i / (channels * imageSize))];
    data[i] = noise;
    data[size + i] = 0.45 + 0.4 * Math.sin(x / 17 + (i % channels)) * Math.sin(y / 23) + 0.1 * noise;
  }
  return tf.tensor4d(data, [2, imageSize, imageSize, channels]);
}

/**
 * What the library finds: decoded rows of every image of x, one after another. Its convolutions are those of
 * tfjs-core, as the graph's are: the rounding of two kernels alone can move a box by more than the tolerance.
 */
function expectedRows(graph: ModelGraph, state: StateDict, engine: Engine, x: tf.Tensor4D): Float32Array[] {
  const model = createInference(graph, state, {
    ...engine.ops,
    conv2dBias: (...args) => portableOps.conv2dBias(...args),
  });
  const { heads } = model.forward(x);
  const levels = heads.map((head) => ({
    ny: head.shape[1],
    nx: head.shape[2],
    data: head.dataSync<'float32'>(),
  }));
  tf.dispose([...heads]);
  model.dispose();
  return Array.from({ length: x.shape[0] }, (_, i) =>
    decodeHeads(
      levels.map(({ ny, nx, data }): HeadLevel => {
        const length = data.length / x.shape[0];
        return { ny, nx, data: data.subarray(i * length, (i + 1) * length) };
      }),
      model.head,
    ),
  );
}

/**
 * The largest differences between a graph model (its files' content) and the model itself on the images x
 * [B, S, S, C], which stay the caller's. Throws E_EXPORT when the graph cannot run or gives another shape.
 */
export async function compareTfjs(
  artifacts: tf.io.ModelArtifacts,
  source: { readonly graph: ModelGraph; readonly state: StateDict },
  engine: Engine,
  x: tf.Tensor4D,
): Promise<ExportDifference> {
  const expected = expectedRows(source.graph, source.state, engine, x);
  const { no } = source.graph.head;
  const shape = [x.shape[0], (expected[0]?.length ?? 0) / no, no];
  let actual: tf.Tensor;
  try {
    const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
    actual = model.predict(x) as tf.Tensor;
    model.dispose();
  } catch (cause) {
    throw new SoftshardError('E_EXPORT', {
      message: 'The exported graph model cannot be loaded or run.',
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const values = await actual.data<'float32'>();
  const found = actual.shape;
  actual.dispose();
  if (found.join() !== shape.join()) {
    throw new SoftshardError('E_EXPORT', {
      message: 'The exported graph model gives another shape.',
      expected: `[${shape.join(', ')}]`,
      found: `[${found.join(', ')}]`,
    });
  }
  const worst = { pixels: 0, probabilities: 0 };
  let at = 0;
  for (const rows of expected) {
    for (let k = 0; k < rows.length; k++, at++) {
      const difference = Math.abs((values[at] ?? NaN) - (rows[k] ?? NaN));
      const part = k % no < 4 ? 'pixels' : 'probabilities';
      // A difference that is no number must not pass as none.
      if (!(difference <= worst[part])) worst[part] = Number.isNaN(difference) ? Infinity : difference;
    }
  }
  return worst;
}

/** Throws E_EXPORT when a difference is beyond its tolerance. `where` names the export. */
export function checkDifference({ pixels, probabilities }: ExportDifference, where: string): void {
  if (pixels <= PIXEL_TOLERANCE && probabilities <= PROBABILITY_TOLERANCE) return;
  throw new SoftshardError('E_EXPORT', {
    message: 'The exported graph model, read back, computes something else than its source.',
    where,
    expected: `at most ${PIXEL_TOLERANCE} pixels and ${PROBABILITY_TOLERANCE} of probability apart`,
    found: `${pixels} pixels, ${probabilities} of probability`,
  });
}
