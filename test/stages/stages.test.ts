/** The stages decode, teach and cached hold to the contract of every stage, and to their memory credits. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { LETTERBOX_ONLY } from '../../src/augment/augmentation.ts';
import { drawView } from '../../src/augment/draw-view.ts';
import { createViewDecoder, type ViewDecoder } from '../../src/augment/view-decoder.ts';
import { openCacheForWriting, type CacheWriter } from '../../src/cache/cache-writer.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import type { Blob } from '../../src/cache/target.ts';
import { makePlan, type Unit } from '../../src/data/plan.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import type { Dataset } from '../../src/data/sample.ts';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { loadInference, type LoadedInference } from '../../src/evaluate/load-model.ts';
import { createCredits } from '../../src/flow/credits.ts';
import { chain, source, workOn, type Source, type StageContext } from '../../src/stage.ts';
import { headBlob, HEADS_KIND } from '../../src/teach/answers.ts';
import { engineTeacher } from '../../src/teach/running-teacher.ts';
import { cached, type LeasedTarget, type UnitOutcome } from '../../stages/cached.ts';
import { decode, type LeasedView } from '../../stages/decode.ts';
import { teach } from '../../stages/teach.ts';
import { stageContract } from '../contract/stage.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';

const SIDE = 64;
const VIEW_BYTES = SIDE * SIDE * 3 * 5;
const BATCH = 4;
const CREDITS = 6 * VIEW_BYTES;
const plan = makePlan({ samples: 6, views: 2, unitViews: 5 });
const unitAt = (index: number): Unit => {
  const unit = plan.units[index];
  assert.ok(unit !== undefined);
  return unit;
};

let folder: string;
let dataset: Dataset;
let loaded: LoadedInference;
let decoder: ViewDecoder;

const openDecoder = (): void => {
  decoder = createViewDecoder({ dataset, workers: 0, slots: 16, viewBytes: SIDE * SIDE * 3 });
};
const decoding = (failsAt = -1): Source<LeasedView> =>
  decode({
    decoder,
    recordOf: (key) => {
      if (key.sample === failsAt)
        return drawView({ ...key, sample: 99 }, dataset.samples, SIDE, LETTERBOX_ONLY, 0);
      return drawView(key, dataset.samples, SIDE, LETTERBOX_ONLY, 0);
    },
    viewBytes: VIEW_BYTES,
    ahead: 3,
    batch: BATCH,
  });
const teaching = (failsAt = -1): Source<LeasedTarget> =>
  chain(decoding(failsAt), teach({ teacher: engineTeacher(loaded.model, []), teachBatch: BATCH }));
const openWriter = (): Promise<CacheWriter> =>
  openCacheForWriting({
    store: memoryStore(),
    localDir: undefined,
    identity: {},
    provenance: {},
    extent: {
      samples: plan.samples,
      views: plan.views,
      unitViews: plan.unitViews,
      answers: [{ kind: HEADS_KIND, blobs: [headBlob(0), headBlob(1)], codec: 'fp32' }],
    },
  });
const benchContext = (credits = createCredits(CREDITS)): StageContext & { controller: AbortController } => {
  const controller = new AbortController();
  return { credits, signal: controller.signal, emit: () => undefined, controller };
};
const settled = async (credits: { readonly inUse: number }): Promise<void> => {
  for (let i = 0; i < 500 && credits.inUse > 0; i++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(credits.inUse, 0);
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softshard-stages-'));
  const tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 0, val: 2 });
  dataset = await readDataset({ data: tiny.data, badImages: 'error' });
  const { engine } = await openEngine('wasm');
  loaded = await loadInference({ weights: await makeTinyTeacher(folder), engine });
});
after(async () => {
  loaded.model.dispose();
  await rm(folder, { recursive: true, force: true });
});

const close = (): Promise<void> => decoder.close();
const positionIn = (unit: Unit, sample: number): number =>
  unit.views.findIndex((key) => key.sample === sample);

stageContract<LeasedView>({
  name: 'decode',
  open: () => {
    openDecoder();
    return decoding();
  },
  close,
  units: plan.units,
  creditBytes: CREDITS,
  positionOf: (view, unit) => positionIn(unit, view.record.sample),
  release: (view) => view.release(),
  failing: {
    open: () => {
      openDecoder();
      return decoding(2);
    },
    unit: unitAt(0),
    code: 'E_INTERNAL',
  },
});

stageContract<LeasedTarget>({
  name: 'teach',
  open: () => {
    openDecoder();
    return teaching();
  },
  close,
  units: plan.units,
  creditBytes: CREDITS,
  positionOf: (target, unit) => positionIn(unit, target.sample),
  release: (target) => target.release?.(),
  failing: {
    open: () => {
      openDecoder();
      return teaching(2);
    },
    unit: unitAt(0),
    code: 'E_INTERNAL',
  },
});

stageContract<UnitOutcome>({
  name: 'cached',
  open: async () => {
    openDecoder();
    return cached(teaching(), await openWriter());
  },
  close,
  units: plan.units,
  creditBytes: CREDITS,
  positionOf: () => 0,
  countOf: () => 1,
  failing: {
    open: async () => {
      openDecoder();
      return cached(teaching(2), await openWriter());
    },
    unit: unitAt(0),
    code: 'E_INTERNAL',
  },
});

describe('teach and cached', () => {
  before(openDecoder);
  after(close);

  test('too few credits for one batch are an error, not a deadlock', async () => {
    const context = benchContext(createCredits(3 * VIEW_BYTES));
    await assert.rejects(
      lastValueFrom(cached(teaching(), await openWriter())(workOn(unitAt(0)), context)),
      (error) => isSoftshardError(error, 'E_CREDITS'),
    );
    await settled(context.credits);
  });

  test('with a slow consumer no more is alive than the credits', async () => {
    const context = benchContext(createCredits(4 * VIEW_BYTES));
    let alive = 0;
    let most = 0;
    const slow = cached(
      source((unit, inner) =>
        teaching()(workOn(unit), inner).pipe(
          map((target) => {
            most = Math.max(most, ++alive);
            return {
              ...target,
              release: () => {
                alive--;
                target.release?.();
              },
            };
          }),
        ),
      ),
      {
        committed: new Set(),
        compareUnit: () => Promise.reject(new Error('not asked for')),
        writeUnit: async (unit, targets) => {
          for await (const target of targets) {
            assert.ok(target.blobs.size > 0);
            await new Promise((done) => setTimeout(done, 5));
          }
          return { unit: unit.index, view: unit.view, samples: [], shards: [] };
        },
      },
    );
    await lastValueFrom(slow(workOn(unitAt(0)), context));
    assert.ok(context.credits.peak <= context.credits.total);
    assert.ok(most <= 4, `${most} targets alive`);
    assert.equal(alive, 0);
    await settled(context.credits);
  });

  test('unsubscribing in the middle of a unit gives everything back and commits nothing', async () => {
    const context = benchContext();
    const writer = await openWriter();
    const items = teaching()(workOn(unitAt(0)), context);
    await firstValueFrom(items.pipe(take(1)));
    context.controller.abort();
    await settled(context.credits);
    assert.equal(writer.committed.size, 0);
  });

  test('a committed unit is found; replayed it is equal, or its first differing view is named', async () => {
    const writer = await openWriter();
    const states = async (stage: Source<UnitOutcome>, unit: Unit): Promise<string[]> =>
      lastValueFrom(
        stage(workOn(unit), benchContext()).pipe(
          map(({ state }) => state),
          toArray(),
        ),
      );
    const [unit] = plan.units;
    assert.ok(unit !== undefined);
    assert.deepEqual(await states(cached(teaching(), writer), unit), ['written']);
    assert.deepEqual(await states(cached(teaching(), writer), unit), ['found']);
    assert.deepEqual(await states(cached(teaching(), writer, { replay: true }), unit), ['equal']);
    const other = source((unit, context) =>
      teaching()(workOn(unit), context).pipe(
        map((target) => (target.sample === 3 ? nudged(target) : target)),
      ),
    );
    await assert.rejects(
      states(cached(other, writer, { replay: true }), unit),
      (error) =>
        isSoftshardError(error, 'E_REPLAY_MISMATCH') &&
        error.message.includes('sample 3, view 0') &&
        error.message.includes('head.1'),
    );
    assert.deepEqual(await states(cached(teaching(), writer, { replay: true }), unit), ['equal']);
  });

  test('an answer that is not finite names view and blob', async () => {
    const broken = chain(
      decoding(),
      teach({
        teacher: engineTeacher(
          {
            forward: (x, features) => {
              const { heads, features: maps } = loaded.model.forward(x, features);
              return { heads: heads.map((head) => tf.mul(head, Infinity)), features: maps };
            },
          },
          [],
        ),
        teachBatch: BATCH,
      }),
    );
    const context = benchContext();
    await assert.rejects(
      lastValueFrom(broken(workOn(unitAt(0)), context)),
      (error) => isSoftshardError(error, 'E_DIVERGED') && /sample 0, view 0, head\.0/.test(error.message),
    );
    context.controller.abort();
    await settled(context.credits);
  });
});

/** The same answer with the last value of one head changed. */
function nudged(target: LeasedTarget): LeasedTarget {
  const blobs = new Map<string, Blob>(target.blobs);
  const blob = blobs.get(headBlob(1));
  assert.ok(blob?.data instanceof Float32Array);
  const data = blob.data.slice();
  data[data.length - 1] = (data.at(-1) ?? 0) + 1;
  blobs.set(headBlob(1), { shape: blob.shape, data });
  return { ...target, blobs, release: () => target.release?.() };
}
