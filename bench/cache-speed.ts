/** Speed of a cache on disk: answers of the size of YOLOv5's heads at 320 pixels, written, sealed and read again. */
import { join } from 'node:path';
import { folderStore, openCache, openCacheForWriting, type Target } from '../src/cache/index.ts';
import { makePlan } from '../src/data/plan.ts';
import { drawKey, uniform } from '../src/random/keyed.ts';
import type { BenchPart, Figure } from './report.ts';

const SHAPES = [
  [40, 40, 3, 85],
  [20, 20, 3, 85],
  [10, 10, 3, 85],
];

const logits = (seed: number): Target['blobs'] =>
  new Map(
    SHAPES.map((shape, level) => {
      const key = drawKey(seed, 'bench', level);
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        i < 4096 ? uniform(key, i, -8, 8) : (i * 0.618) % 8,
      );
      return [`head.${level}`, { shape, data }];
    }),
  );

/** `views` answers are written, sealed and read, once a codec. */
export const cacheFigures = async (folder: string, views: number): Promise<BenchPart> => {
  const figures: Figure[] = [];
  const blobs = logits(1);
  for (const codec of ['fp16', 'fp32']) {
    const store = folderStore(join(folder, `cache-${codec}`));
    const plan = makePlan({ samples: views, views: 1, unitViews: 64 });
    const writer = await openCacheForWriting({
      store,
      identity: { bench: 1 },
      provenance: {},
      extent: {
        samples: views,
        views: 1,
        unitViews: 64,
        answers: [{ kind: 'heads', blobs: [...blobs.keys()], codec }],
      },
      localDir: undefined,
    });
    let bytes = 0;
    const wrote = performance.now();
    for (const unit of plan.units) {
      const targets = unit.views.map(({ sample, view }) => ({
        sample,
        view,
        inputDigest: sample.toString(16).padStart(16, '0'),
        record: {},
        blobs,
      }));
      const record = await writer.writeUnit(unit, targets);
      for (const shard of record.shards) bytes += shard.bytes;
    }
    await writer.seal();
    const writeSeconds = (performance.now() - wrote) / 1000;
    await writer.close();
    const cache = await openCache(store);
    const read = performance.now();
    for (const unit of plan.units) await cache.readMany(unit.views);
    const readSeconds = (performance.now() - read) / 1000;
    const note = `${codec}, ${(bytes / views / 1e6).toFixed(2)} MB a view, files in the page cache`;
    figures.push(
      { name: `cache write ${codec}`, value: bytes / 1e6 / writeSeconds, unit: 'MB/s', note },
      { name: `cache read ${codec}`, value: bytes / 1e6 / readSeconds, unit: 'MB/s', note },
    );
  }
  return { figures };
};
