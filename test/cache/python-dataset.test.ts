/** The PyTorch data set over a taught cache and its pixel shards: the same values as TypeScript reads. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { byteBlob, floatBlob } from '../../src/cache/target.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { command as decodeCommand } from '../../stages/decode.ts';
import { command as teachCommand } from '../../stages/teach.ts';
import { availableEngines } from '../engines.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';
import { temporaryFolder } from './temporary-folder.ts';

const python = process.env['SOFTSHARD_BENCH_PYTHON'] ?? 'python3';
const imported = spawnSync(python, ['-c', 'import torch, numpy, msgpack']);
const skip =
  imported.status === 0
    ? false
    : `${python} cannot import torch, numpy and msgpack: name one that can by SOFTSHARD_BENCH_PYTHON`;

const SCRIPT = `
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
import torch
from torch.utils.data import DataLoader
from softshard_dataset import TargetDataset, collate

def digest(t):
    return hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()

data = TargetDataset(sys.argv[2], pixels=sys.argv[3])
epochs = []
for epoch in range(3):
    data.set_epoch(epoch)
    views = []
    for batch in DataLoader(data, batch_size=3, collate_fn=collate, num_workers=2 if epoch == 1 else 0):
        for i in range(len(batch["sample"])):
            mine = batch["labels"][batch["labels"][:, 0] == i][:, 1:]
            views.append({
                "sample": int(batch["sample"][i]), "view": int(batch["view"][i]),
                "image": digest(batch["image"][i].permute(1, 2, 0)),
                "heads": [digest(level[i]) for level in batch["heads"]],
                "features": {k: digest(v[i].permute(1, 2, 0)) for k, v in batch["features"].items()},
                "labels": mine.tolist(), "labelled": bool(batch["labelled"][i]),
            })
    epochs.append(views)
json.dump({"length": len(data), "epochs": epochs}, sys.stdout)
`;

const context: StepContext = {
  ...{ signal: new AbortController().signal, run: 'dataset', step: 'test' },
  ...{ emit: () => undefined, info: () => undefined, warn: () => undefined },
};

interface Summary {
  readonly length: number;
  readonly epochs: readonly {
    readonly sample: number;
    readonly view: number;
    readonly image: string;
    readonly heads: readonly string[];
    readonly features: Readonly<Record<string, string>>;
    readonly labels: readonly number[][];
    readonly labelled: boolean;
  }[][];
}

test('a DataLoader shows the views, labels and answers of the cache', { skip }, async (t) => {
  const sha256 = (data: Float32Array | Uint8Array): string =>
    createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex');
  const folder = await temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 3, val: 2 });
  const weights = await makeTinyTeacher(folder);
  const options = {
    data: tiny.data,
    imgsz: 64,
    views: 2,
    set: { hyp: { mosaic: 1, fliplr: 0.5 } },
    workers: 0,
  };
  await decodeCommand.run(decodeCommand.options.parse({ ...options, out: at('pixels') }), context);
  await teachCommand.run(
    teachCommand.options.parse({
      ...{ ...options, weights, cache: at('cache'), from: at('pixels'), codec: 'fp32' },
      ...{ teachBatch: 4, hints: [2], engine: availableEngines()[0] },
    }),
    context,
  );
  const args = ['-c', SCRIPT, join(repositoryRoot, 'readers', 'python'), at('cache'), at('pixels')];
  const { length, epochs } = JSON.parse(execFileSync(python, args, { encoding: 'utf8' })) as Summary;
  const cache = await openCache(folderStore(at('cache')));
  const pixels = await openCache(folderStore(at('pixels')));
  assert.equal(length, cache.manifest.extent.samples);
  let boxes = 0;
  for (const [epoch, views] of epochs.entries()) {
    assert.deepEqual(
      views.map(({ sample }) => sample),
      [...Array(length).keys()],
    );
    for (const view of views) {
      assert.equal(view.view, epoch % 2);
      const target = await cache.read(view.sample, view.view);
      const shown = await pixels.read(view.sample, view.view);
      assert.equal(view.image, sha256(byteBlob(shown, 'pixels').data));
      const heads = [...target.blobs.keys()].filter((name) => name.startsWith('head.'));
      assert.deepEqual(
        view.heads,
        heads.map((name) => sha256(floatBlob(target, name).data)),
      );
      assert.deepEqual(view.features, { 2: sha256(floatBlob(target, 'feature.2').data) });
      assert.deepEqual(view.labels.flat(), [...floatBlob(shown, 'labels').data]);
      assert.equal(view.labelled, floatBlob(shown, 'labelled').data[0] === 1);
      boxes += view.labels.length;
    }
  }
  assert.ok(boxes > 0);
});

test('pixels that the teacher did not see are refused', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 3, val: 2 });
  const weights = await makeTinyTeacher(folder);
  await teachCommand.run(
    teachCommand.options.parse({
      ...{ data: tiny.data, imgsz: 64, workers: 0, weights },
      ...{ cache: join(folder, 'cache'), teachBatch: 4, engine: availableEngines()[0] },
    }),
    context,
  );
  const script = `
import sys
sys.path.insert(0, sys.argv[1])
import numpy
from softshard_dataset import TargetDataset
TargetDataset(sys.argv[2], render=lambda record: numpy.zeros((64, 64, 3), numpy.uint8))[0]
`;
  const args = ['-c', script, join(repositoryRoot, 'readers', 'python'), join(folder, 'cache')];
  const { status, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /CacheError: sample 0, view 0: these pixels have the digest [0-9a-f]{16}, the teacher saw/,
  );
});
