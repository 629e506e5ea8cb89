import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { z } from 'zod';
import { applyView } from '../../src/augment/apply-view.ts';
import { LETTERBOX_ONLY } from '../../src/augment/augmentation.ts';
import { drawView } from '../../src/augment/draw-view.ts';
import { pixelDigest } from '../../src/augment/pixel-digest.ts';
import { createScratch } from '../../src/augment/scratch.ts';
import { decodeView, encodeView } from '../../src/augment/view-codec.ts';
import { resizeBilinear } from '../../src/data/resize-bilinear.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { repositoryRoot } from '../reference.ts';
import { bankView, imageOf, labelsOf, see, SIZES } from './view-bank.ts';

const COUNT = process.env['SOFTSHARD_TEST_LONG'] === undefined ? 200 : 1000;
const lineSchema = z.object({ record: z.unknown(), digest: z.string(), labels: z.unknown() });

describe('replay', () => {
  test(`${COUNT} views from the records of another process, pixel by pixel`, async () => {
    const script = join(repositoryRoot, 'test', 'augment', 'write-records.ts');
    const output = execFileSync(process.execPath, [...process.execArgv, script, String(COUNT)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    const lines = output.trimEnd().split('\n');
    assert.equal(lines.length, COUNT);
    const scratch = createScratch();
    const kinds = new Set<string>();
    for (const [i, line] of lines.entries()) {
      const { record, digest, labels } = lineSchema.parse(JSON.parse(line));
      const view = decodeView(record);
      assert.deepEqual(view, bankView(i), 'the record keeps every float64');
      const seen = await see(view, scratch);
      assert.equal(seen.digest, digest, `view ${i}`);
      assert.deepEqual(seen.labels, labels);
      kinds.add(`${view.composition.kind} ${view.mixup === undefined ? '' : 'mixed'}`);
    }
    const mosaics = ['mosaic4 ', 'mosaic4 mixed', 'mosaic9 ', 'mosaic9 mixed'];
    assert.deepEqual([...kinds].toSorted(), ['letterbox ', ...mosaics]);
  });

  test('calls no trigonometry and draws nothing', async () => {
    const records = Array.from({ length: 20 }, (_, i) => bankView(i));
    const expected = await Promise.all(records.map((record) => see(record)));
    const names = ['sin', 'cos', 'tan', 'atan2', 'exp', 'log', 'pow', 'random'] as const;
    const kept = { ...Object.getOwnPropertyDescriptors(Math) };
    try {
      for (const name of names) {
        Object.defineProperty(Math, name, {
          ...kept[name],
          value: () => assert.fail(`Math.${name} was called`),
        });
      }
      for (const [i, record] of records.entries()) assert.deepEqual(await see(record), expected[i]);
    } finally {
      Object.defineProperties(Math, kept);
    }
  });

  test('buffers used again leave no trace', async () => {
    const scratch = createScratch();
    const once = await see(bankView(1));
    for (let i = 0; i < 10; i++) await see(bankView(i), scratch);
    assert.deepEqual(await see(bankView(1), scratch), once);
  });

  test('a target of the wrong length is refused', async () => {
    await assert.rejects(applyView(bankView(0), imageOf, labelsOf, { into: new Uint8Array(5) }), (e) =>
      isSoftshardError(e, 'E_INTERNAL'),
    );
  });
});

describe('a view without augmentation', () => {
  test('is the resized image on grey', async () => {
    const record = drawView({ sample: 1, view: 0 }, SIZES, 64, LETTERBOX_ONLY, 0);
    const { pixels } = await applyView(record, imageOf, labelsOf);
    const inner = resizeBilinear(imageOf(1), { width: 34, height: 64 }).pixels;
    for (let y = 0; y < 64; y++) {
      const row = pixels.subarray(y * 192, (y + 1) * 192);
      assert.ok(row.subarray(0, 45).every((v) => v === 114));
      assert.deepEqual(row.subarray(45, 147), inner.subarray(y * 102, (y + 1) * 102));
      assert.ok(row.subarray(147).every((v) => v === 114));
    }
  });

  test('of an image of the right size is that image', async () => {
    const record = drawView({ sample: 0, view: 0 }, [{ width: 64, height: 64 }], 64, LETTERBOX_ONLY, 0);
    const image = resizeBilinear(imageOf(2), { width: 64, height: 64 });
    const { pixels } = await applyView(record, () => image, labelsOf);
    assert.deepEqual(pixels, image.pixels);
  });

  test('mixup truncates the weighted sum', async () => {
    const plain = drawView({ sample: 0, view: 0 }, [{ width: 2, height: 2 }], 2, LETTERBOX_ONLY, 0);
    const [image] = plain.composition.images;
    assert.ok(image !== undefined);
    const second = { ...plain.composition, images: [{ ...image, sample: 1 }] };
    const flat = (value: number): { width: number; height: number; pixels: Uint8Array } => ({
      width: 2,
      height: 2,
      pixels: new Uint8Array(12).fill(value),
    });
    const { pixels } = await applyView(
      { ...plain, mixup: { lambda: 0.7, composition: second } },
      (sample) => flat(sample === 0 ? 100 : 59),
      () => [],
    );
    // 0.7 * 100 + 0.3 * 59 = 87.7
    assert.ok(pixels.every((v) => v === 87));
  });
});

describe('the record codec', () => {
  test('msgpack keeps records as JSON does', () => {
    const packr = new Packr({ useRecords: false });
    for (let i = 0; i < 50; i++) {
      const record = bankView(i);
      assert.deepEqual(decodeView(packr.unpack(packr.pack(encodeView(record)))), record);
      assert.deepEqual(decodeView(JSON.parse(JSON.stringify(encodeView(record)))), record);
    }
  });

  test('damage is refused, never thrown otherwise', () => {
    const text = JSON.stringify(encodeView(bankView(3)));
    const wrong = (e: unknown): boolean => isSoftshardError(e, 'E_CACHE_FORMAT');
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.throws(() => decodeView(value), wrong);
      }),
      { numRuns: 200, seed: 1 },
    );
    const stored = z.looseObject({ composition: z.looseObject({ images: z.array(z.looseObject({})) }) });
    const damaged = (change: (record: z.infer<typeof stored>) => void) => (): void => {
      const record = stored.parse(JSON.parse(text));
      change(record);
      decodeView(record, 'shard 3');
    };
    assert.doesNotThrow(damaged(() => undefined));
    for (const change of [
      (r: Record<string, unknown>) => (r['sample'] = -1),
      (r: Record<string, unknown>) => delete r['composition'],
      (r: Record<string, unknown>) => (r['hsv'] = [1, 2]),
      (r: Record<string, unknown>) => (r['flipVertical'] = 1),
    ]) {
      assert.throws(damaged(change), wrong);
    }
    for (const [key, value] of [
      ['canvas', [0, 0, 9999, 9999]],
      ['canvas', [10, 10, 5, 5]],
      ['source', [9999, 0]],
      ['w', 0],
    ] as const) {
      assert.throws(
        damaged(({ composition }) => Object.assign(composition.images[0] ?? {}, { [key]: value })),
        wrong,
      );
    }
    assert.throws(
      damaged((r) => (r['view'] = 'x')),
      /shard 3/,
    );
  });
});

test('a digest is 16 hex digits of sha256', () => {
  assert.equal(pixelDigest(new Uint8Array(0)), 'e3b0c44298fc1c14');
});
