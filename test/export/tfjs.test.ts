import { before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { checkDifference, compareTfjs, testImages } from '../../src/export/check-tfjs.ts';
import { readTfjsFiles, SHARD_BYTES, tfjsFiles } from '../../src/export/tfjs-files.ts';
import { INPUT, OUTPUT, tfjsGraph } from '../../src/export/tfjs-graph.ts';
import { traceGraph } from '../../src/export/trace-backend.ts';
import { BATCH } from '../../src/export/traced-node.ts';
import { MODULES } from '../../src/model/module-table.ts';
import { availableEngines } from '../engines.ts';
import { EVERY_MODULE, randomState } from './every-module.ts';

const SIDE = 64;

/** Writes a model's files, reads them back and removes them. */
async function throughFiles(files: ReadonlyMap<string, Uint8Array>): Promise<tf.io.ModelArtifacts> {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-tfjs-'));
  try {
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    return await readTfjsFiles(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const edges = (rows: number, no: number) => ({
  input: { name: INPUT, shape: [-1, SIDE, SIDE, 3] },
  output: { name: OUTPUT, shape: [-1, rows, no] },
  metadata: {},
});

test('the descriptions of this test use every module there is', () => {
  const used = new Set(EVERY_MODULE.flatMap(([, graph]) => graph.layers.map(({ type }) => type)));
  assert.deepEqual([...used].sort(), Object.keys(MODULES).sort());
});

for (const name of availableEngines()) {
  describe(`graph models on ${name}`, () => {
    let engine: Engine;
    before(async () => {
      ({ engine } = await openEngine(name));
    });

    for (const [title, graph] of EVERY_MODULE) {
      test(`${title}: the graph computes what the model does, in any batch`, async () => {
        const tensors = tf.memory().numTensors;
        const state = randomState(graph);
        const files = tfjsFiles({
          graph: await tfjsGraph(graph, state, SIDE),
          ...edges(2 * (8 * 8 + 4 * 4), 8),
        });
        const artifacts = await throughFiles(files);
        const two = testImages(SIDE, 3);
        const one = tf.slice(two, 0, 1);
        for (const x of [two, one]) {
          const difference = await compareTfjs(artifacts, { graph, state }, engine, x);
          checkDifference(difference, title);
          x.dispose();
        }
        assert.equal(tf.memory().numTensors, tensors);
      });
    }
  });
}

describe('a graph model', () => {
  const [, graph] = EVERY_MODULE[0] ?? [];
  assert.ok(graph !== undefined);
  const state = randomState(graph);
  let engine: Engine;
  before(async () => {
    ({ engine } = await openEngine('wasm'));
  });

  test('leaves the engine as it was', async () => {
    await tfjsGraph(graph, state, SIDE);
    assert.equal(tf.getBackend(), 'wasm');
  });

  test('is equal for equal input, in shards of at most 4 MiB', async () => {
    const constants = [
      { name: 'a', shape: [1_500_000], dtype: 'float32' as const, data: new Float32Array(1_500_000).fill(2) },
    ];
    const files = tfjsFiles({ graph: { nodes: [], constants }, ...edges(1, 1) });
    assert.deepEqual([...files.keys()], ['group1-shard1of2.bin', 'group1-shard2of2.bin', 'model.json']);
    assert.equal(files.get('group1-shard1of2.bin')?.length, SHARD_BYTES);
    const { weightData } = await throughFiles(files);
    assert.ok(weightData instanceof ArrayBuffer);
    assert.deepEqual(new Float32Array(weightData), constants[0]?.data);
    const again = await tfjsGraph(graph, state, SIDE);
    assert.deepEqual(await tfjsGraph(graph, state, SIDE), again);
  });

  test('with one weight changed is refused', async () => {
    const traced = await tfjsGraph(graph, state, SIDE);
    const files = tfjsFiles({ graph: traced, ...edges(160, 8) });
    const filter = traced.constants.findIndex(({ shape }) => shape.length === 4);
    const offset = traced.constants.slice(0, filter).reduce((sum, { data }) => sum + data.byteLength, 0);
    const [shard] = files.keys();
    assert.ok(shard !== undefined);
    const bytes = Buffer.from(files.get(shard) ?? []);
    bytes.writeFloatLE(bytes.readFloatLE(offset) + 10, offset);
    const x = testImages(SIDE, 3);
    const artifacts = await throughFiles(new Map([...files, [shard, bytes]]));
    const difference = await compareTfjs(artifacts, { graph, state }, engine, x);
    assert.throws(
      () => checkDifference(difference, 'changed'),
      (error) => isSoftshardError(error, 'E_EXPORT'),
    );
    x.dispose();
  });

  test('that cannot run is E_EXPORT', async () => {
    const files = tfjsFiles({ graph: await tfjsGraph(graph, state, SIDE), ...edges(160, 8) });
    const text = Buffer.from(files.get('model.json') ?? [])
      .toString()
      .replaceAll('"Conv2D"', '"Conv2E"');
    const artifacts = await throughFiles(new Map([...files, ['model.json', Buffer.from(text)]]));
    const x = testImages(SIDE, 3);
    await assert.rejects(compareTfjs(artifacts, { graph, state }, engine, x), (error) =>
      isSoftshardError(error, 'E_EXPORT'),
    );
    x.dispose();
  });

  test('files that are missing are E_FILE', async () => {
    const files = tfjsFiles({ graph: { nodes: [], constants: [] }, ...edges(1, 1) });
    await assert.rejects(throughFiles(new Map([...files].slice(1))), (error) =>
      isSoftshardError(error, 'E_FILE'),
    );
  });
});

describe('traceGraph', () => {
  const input = { name: 'x', shape: [BATCH, 4, 4, 1] } as const;
  const rejects = (body: (x: tf.Tensor4D) => tf.Tensor): Promise<void> =>
    assert.rejects(traceGraph(input, 'y', body), (error) => isSoftshardError(error, 'E_EXPORT'));
  before(() => openEngine('wasm'));

  test('names an operation that it cannot translate', () => rejects((x) => tf.erf(x)));
  test('refuses to read values', () =>
    rejects((x) => {
      x.dataSync();
      return x;
    }));
  test('brings the backend back after a failure', async () => {
    await rejects((x) => tf.erf(x));
    assert.equal(tf.getBackend(), 'wasm');
  });
});
