/** Data sets from disk: reference counts, layouts, what is unlabelled, what is dropped and why. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { readDataset, type ReadDatasetOptions } from '../../src/data/read-dataset.ts';
import type { Dataset } from '../../src/data/sample.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { reference, referenceJson, skipWithoutReference } from '../reference.ts';
import { noiseImage } from './pixel-noise.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

const jpeg = async (width = 16, height = 12, seed = 1): Promise<Buffer> =>
  sharp(noiseImage(width, height, seed).pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
const picture = await jpeg();
const box = '0 0.5 0.5 0.25 0.25\n';

const read = (
  data: string,
  split?: ReadDatasetOptions['split'],
  badImages: 'drop' | 'error' = 'error',
): Promise<Dataset> => readDataset({ data, split, badImages });
const paths = (dataset: Dataset): string[] => dataset.samples.map((sample) => sample.path);
const failsWith =
  (code: ErrorCode, text: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isSoftshardError(error, code), String(error));
    assert.match(error.message, text);
    return true;
  };

describe('coco128 and bccd', { skip: skipWithoutReference }, () => {
  const check = z.object({
    coco128: z.looseObject({
      images: z.int(),
      label_files: z.int(),
      images_without_label_file: z.array(z.string()),
      objects: z.int(),
      classes_present: z.int(),
      per_class: z.record(z.string(), z.int()),
      files: z.array(
        z.looseObject({ file: z.string(), w: z.int(), h: z.int(), objects: z.int(), sha256: z.string() }),
      ),
    }),
  });

  test('coco128 has the objects, sizes and digests of the reference check', async () => {
    const expected = check.parse(referenceJson('ref', 'A_dataset_check.json')).coco128;
    const dataset = await read(reference('data', 'coco128', 'coco128.yaml'));
    assert.equal(dataset.split, 'train');
    assert.equal(dataset.names.length, 80);
    assert.equal(dataset.samples.length, expected.images);
    assert.deepEqual(dataset.dropped, []);
    const labels = dataset.samples.flatMap((sample) => sample.labels ?? []);
    assert.equal(labels.length, expected.objects);
    const perClass = new Map<string, number>();
    for (const { classIndex } of labels) {
      perClass.set(String(classIndex), (perClass.get(String(classIndex)) ?? 0) + 1);
    }
    assert.deepEqual(Object.fromEntries(perClass), expected.per_class);
    assert.equal(perClass.size, expected.classes_present);
    for (const name of expected.images_without_label_file) {
      assert.deepEqual(dataset.samples.find((sample) => sample.path.endsWith(name))?.labels, []);
    }
    assert.deepEqual(
      dataset.samples.map(({ path, width, height, labels: own, digest }) => ({
        file: path.replace('images/train2017/', ''),
        w: width,
        h: height,
        objects: own?.length,
        sha256: digest,
      })),
      expected.files
        .map(({ file, w, h, objects, sha256 }) => ({ file, w, h, objects, sha256 }))
        .sort((a, b) => (a.file < b.file ? -1 : 1)),
    );
    // The same images by the folder, with a year in the split's name.
    const byFolder = await read(reference('data', 'coco128'));
    assert.equal(byFolder.split, 'train');
    assert.equal(byFolder.digest, dataset.digest);
    assert.equal(byFolder.labelsDigest, dataset.labelsDigest);
    // train and val name the same folder, so everything is the same 128 images.
    assert.equal((await read(reference('data', 'coco128', 'coco128.yaml'), 'all')).digest, dataset.digest);
  });

  test('bccd reads by yaml and by folder', async () => {
    const train = await read(reference('data', 'bccd', 'bccd.yaml'));
    const val = await read(reference('data', 'bccd', 'bccd.yaml'), 'val');
    const all = await read(reference('data', 'bccd', 'bccd.yaml'), 'all');
    assert.deepEqual(train.names, ['RBC', 'WBC', 'Platelets']);
    assert.equal(train.samples.length + val.samples.length, all.samples.length);
    assert.equal(all.samples.length, 292);
    assert.notEqual(train.digest, val.digest);
    const folder = await read(reference('data', 'bccd'), 'val');
    assert.equal(folder.digest, val.digest);
    assert.deepEqual(folder.names, ['class0', 'class1', 'class2']);
  });
});

describe('layouts', () => {
  const labelledPair = (folder: TemporaryFolder, images: string, labels: string, name: string): void => {
    folder.write(`${images}/${name}.jpg`, picture);
    folder.write(`${labels}/${name}.txt`, box);
  };

  test('images/ and labels/ directly: everything, in byte order, folders of folders too', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['b', 'B', 'a/z', 'é', 'a-', '\u{1f600}', '\uffee'])
      labelledPair(folder, 'images', 'labels', name);
    folder.write('images/.hidden.jpg', picture);
    folder.write('images/notes.txt', 'x');
    folder.write('images/empty.PNG', await sharp(picture).png().toBuffer());
    const dataset = await read(folder.path);
    assert.equal(dataset.split, 'all');
    assert.deepEqual(
      paths(dataset),
      ['B', 'a-', 'a/z', 'b', 'empty', 'é', '\uffee', '\u{1f600}'].map(
        (name) => `images/${name}.${name === 'empty' ? 'PNG' : 'jpg'}`,
      ),
    );
    assert.deepEqual(
      dataset.samples.map((sample) => sample.index),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(dataset.samples[4]?.labels, []);
    assert.deepEqual(dataset.samples[0]?.labels, [{ classIndex: 0, cx: 0.5, cy: 0.5, w: 0.25, h: 0.25 }]);
    assert.deepEqual(dataset.names, ['class0']);
    assert.equal(dataset.samples[0].digest, createHash('sha256').update(picture).digest('hex'));
  });

  test('by split under images/, or with the split on top; classes.txt', async (t) => {
    for (const place of [
      (split: string, kind: string) => `${kind}/${split}`,
      (split: string, kind: string) => `${split}/${kind}`,
    ]) {
      const folder = temporaryFolder(t);
      for (const split of ['train', 'valid', 'test', 'unlabelled']) {
        labelledPair(folder, place(split, 'images'), place(split, 'labels'), split);
      }
      folder.write('classes.txt', 'cell\nplatelet\n');
      const names = async (split?: ReadDatasetOptions['split']): Promise<(string | undefined)[]> =>
        paths(await read(folder.path, split)).map((path) => path.split('/').at(-1));
      assert.deepEqual(await names(), ['train.jpg', 'unlabelled.jpg']);
      assert.deepEqual(await names('val'), ['valid.jpg']);
      assert.deepEqual(await names('test'), ['test.jpg']);
      assert.equal((await names('all')).length, 4);
      const dataset = await read(folder.path);
      assert.deepEqual(dataset.names, ['cell', 'platelet']);
      assert.equal(dataset.samples[1]?.labels, undefined);
      assert.equal(dataset.samples[0]?.labels?.length, 1);
    }
  });

  test('a folder without labels/ is unlabelled, and one without images/ is no data set', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('images/1.jpg', picture);
    assert.deepEqual(
      (await read(folder.path)).samples.map((sample) => sample.labels),
      [undefined],
    );
    await assert.rejects(
      read(folder.path, 'train'),
      failsWith('E_DATA_YAML', /no split train[^]*without splits/),
    );
    const other = temporaryFolder(t);
    other.write('photos/1.jpg', picture);
    await assert.rejects(read(other.path), failsWith('E_DATA_YAML', /photos/));
    await assert.rejects(read(join(other.path, 'nowhere')), failsWith('E_DATA_YAML', /ENOENT/));
  });

  test('glob characters, blanks and links are taken literally', async (t) => {
    const folder = temporaryFolder(t);
    const odd = 'a[1]{b}*? (x)!';
    labelledPair(folder, `${odd}/images/[2]`, `${odd}/labels/[2]`, '*1 {a,b}');
    folder.write('a1b/images/[2]/decoy.jpg', picture);
    assert.deepEqual(paths(await read(join(folder.path, odd))), ['images/[2]/*1 {a,b}.jpg']);
    const file = folder.write('a.yaml', `train: "${odd}/images/[2]"\nnc: 1\n`);
    assert.deepEqual(paths(await read(file)), [`${odd}/images/[2]/*1 {a,b}.jpg`]);

    symlinkSync(join(folder.path, odd, 'images', '[2]'), join(folder.path, odd, 'images', 'linked'));
    symlinkSync('..', join(folder.path, odd, 'images', 'loop'));
    assert.deepEqual(paths(await read(join(folder.path, odd))), [
      'images/[2]/*1 {a,b}.jpg',
      'images/linked/*1 {a,b}.jpg',
    ]);
  });

  test('list files: ./ is their own folder, other paths may start at the root, absolute ones stay', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['1', '2', '3', '4']) labelledPair(folder, 'set/images', 'set/labels', name);
    const outside = temporaryFolder(t);
    labelledPair(outside, 'images', 'labels', 'far');
    const lines = [
      './../images/1.jpg',
      '',
      ' ../images/2.jpg\r',
      'images/3.jpg',
      './../images/1.jpg',
      'readme.md',
    ];
    folder.write('set/lists/train.txt', [...lines, join(outside.path, 'images/far.jpg')].join('\n'));
    const file = folder.write('set/a.yaml', 'train: lists/train.txt\nnames: [x]\n');
    const dataset = await read(file);
    assert.equal(dataset.samples.length, 4);
    assert.match(paths(dataset)[0] ?? '', /^\.\.\/\.\.\/softshard-data-.*\/images\/far\.jpg$/);
    assert.deepEqual(paths(dataset).slice(1), ['images/1.jpg', 'images/2.jpg', 'images/3.jpg']);
    assert.ok(dataset.samples.every((sample) => sample.labels?.length === 1));
  });
});

describe('unlabelled images', () => {
  const make = (t: { after(fn: () => void): void }, unlabelled: string): string => {
    const folder = temporaryFolder(t);
    folder.write('images/a/1.jpg', picture);
    folder.write('images/a/3.jpg', picture);
    folder.write('labels/a/1.txt', box);
    folder.write('images/b/2.jpg', picture);
    folder.write('labels/b/2.txt', box);
    return folder.write('a.yaml', `train: images/a\nunlabelled: ${unlabelled}\nval: images/b\nnames: [x]\n`);
  };

  test('come with the training split, in one order, with undefined labels', async (t) => {
    const dataset = await read(make(t, 'images/b'));
    assert.deepEqual(
      dataset.samples.map((sample) => [sample.path, sample.labels?.length]),
      [
        ['images/a/1.jpg', 1],
        ['images/a/3.jpg', 0],
        ['images/b/2.jpg', undefined],
      ],
    );
  });

  test('an image with and without annotation is E_DATA_YAML', async (t) => {
    await assert.rejects(read(make(t, 'images')), failsWith('E_DATA_YAML', /images\/a\/1\.jpg/));
    await assert.rejects(read(make(t, 'images/b'), 'all'), failsWith('E_DATA_YAML', /images\/b\/2\.jpg/));
  });
});

describe('bad input', () => {
  test('drop lists every reason, error fails on the first; both in byte order', async (t) => {
    const folder = temporaryFolder(t);
    const big = await jpeg(120, 90);
    const png = await sharp(big).png().toBuffer();
    folder.write('images/a-good.jpg', picture);
    folder.write('images/b-truncated.jpg', big.subarray(0, big.length >> 1));
    folder.write(
      'images/c-small.png',
      await sharp(await jpeg(40, 9))
        .png()
        .toBuffer(),
    );
    folder.write('images/d-text.jpg', 'no picture at all');
    folder.write('images/e-half.png', png.subarray(0, png.length >> 1));
    folder.write('images/f-label.jpg', picture);
    folder.write('labels/f-label.txt', `${box}0 0.5 1.5 0.1 0.1\n`);
    folder.write('images/g-empty.webp', '');
    folder.write('images/h-drawing.png', '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"/>');
    folder.write('images/i-really-png.jpg', png);
    folder.write('images/j-no-end.jpg', big.subarray(0, -2));
    folder.write('images/k-bitmap.bmp', 'BM');
    symlinkSync('/nowhere/x.jpg', join(folder.path, 'images', 'l-gone.jpg'));
    const dataset = await read(folder.path, undefined, 'drop');
    assert.deepEqual(paths(dataset), ['images/a-good.jpg', 'images/i-really-png.jpg', 'images/j-no-end.jpg']);
    assert.equal(
      dataset.dropped.map(({ path }) => path.slice('images/'.length, 'images/'.length + 1)).join(''),
      'bcdefghkl',
    );
    const reason = (letter: string): string =>
      dataset.dropped.find(({ path }) => path.startsWith(`images/${letter}`))?.reason ?? '';
    assert.match(reason('b'), /damaged image data, or data that end too early/);
    assert.match(reason('c'), /too small.*40 x 9/);
    assert.match(reason('f'), /^labels\/f-label\.txt:2: .*1\.5/);
    assert.match(reason('h'), /svg/);
    assert.match(reason('l'), /ENOENT/);
    await assert.rejects(read(folder.path), failsWith('E_IMAGE', /b-truncated\.jpg/));
    // What is left out is part of the data digest.
    const without = temporaryFolder(t);
    for (const path of paths(dataset)) cpSync(join(folder.path, path), join(without.path, path));
    cpSync(join(folder.path, 'labels'), join(without.path, 'labels'), { recursive: true });
    const rest = await read(without.path);
    assert.deepEqual(
      rest.samples.map(({ path, digest }) => [path, digest]),
      dataset.samples.map(({ path, digest }) => [path, digest]),
    );
    assert.notEqual(rest.digest, dataset.digest);
    assert.equal(rest.labelsDigest, dataset.labelsDigest);
  });

  test('a malformed label names file and line; a class beyond the names always fails', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('images/1.jpg', picture);
    folder.write('images/2.jpg', picture);
    const label = folder.write('labels/1.txt', `${box}\n0 0.5 0.5 0.1\n`);
    const file = folder.write('a.yaml', 'train: images\nnames: [x]\n');
    await assert.rejects(read(file), failsWith('E_LABEL', /labels\/1\.txt:3/));
    assert.equal((await read(file, undefined, 'drop')).samples.length, 1);
    folder.write('labels/1.txt', `${box}4 0.5 0.5 0.1 0.1\n`);
    for (const bad of ['drop', 'error'] as const) {
      await assert.rejects(read(file, undefined, bad), (error: unknown) => {
        assert.ok(isSoftshardError(error, 'E_LABEL'));
        return error.detail.where === `${label}:2`;
      });
    }
  });

  test('nothing usable is E_DATA_EMPTY', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('images/readme.txt', 'x');
    folder.write('labels/readme.txt', '');
    await assert.rejects(read(folder.path), failsWith('E_DATA_EMPTY', /no image file/));
    folder.write('images/1.jpg', 'x');
    await assert.rejects(
      read(folder.path, undefined, 'drop'),
      failsWith('E_DATA_EMPTY', /1 unusable images/),
    );
  });

  test('digests: labels change one, images the other; neither knows where the data lie', async (t) => {
    const make = (label: string, image: Uint8Array): string => {
      const folder = temporaryFolder(t);
      folder.write('images/1.jpg', image);
      folder.write('labels/1.txt', label);
      return folder.path;
    };
    const first = await read(make(box, picture));
    const moved = await read(make(box, picture));
    assert.deepEqual([moved.digest, moved.labelsDigest], [first.digest, first.labelsDigest]);
    const relabelled = await read(make('', picture));
    assert.equal(relabelled.digest, first.digest);
    assert.notEqual(relabelled.labelsDigest, first.labelsDigest);
    const repainted = await read(make(box, await jpeg(16, 12, 2)));
    assert.notEqual(repainted.digest, first.digest);
    assert.equal(repainted.labelsDigest, first.labelsDigest);
    const line = (text: string): string => createHash('sha256').update(text).digest('hex');
    assert.equal(first.digest, line(`images/1.jpg\0${first.samples[0]?.digest ?? ''}\n`));
    assert.equal(first.labelsDigest, line('images/1.jpg\x000 0.5 0.5 0.25 0.25\n'));
  });

  test('sizes are those after EXIF orientation', async (t) => {
    const folder = temporaryFolder(t);
    for (const orientation of [1, 5, 6, 7, 8]) {
      folder.write(
        `images/${orientation}.jpg`,
        await sharp(picture).withMetadata({ orientation }).jpeg().toBuffer(),
      );
    }
    const sizes = (await read(folder.path)).samples.map(({ width, height }) => `${width}x${height}`);
    assert.deepEqual(sizes, ['16x12', '12x16', '12x16', '12x16', '12x16']);
  });

  test('progress, warnings and cancelling', async (t) => {
    const folder = temporaryFolder(t);
    for (let i = 0; i < 40; i++) folder.write(`images/${i}.jpg`, picture);
    const data = folder.write('a.yaml', 'train: images\nnames: [x]\ncolour: blue\n');
    const seen: string[] = [];
    await readDataset({
      data,
      badImages: 'error',
      onProgress: (done, total) => seen.push(`${done}/${total}`),
      onWarning: (message) => seen.push(message),
    });
    assert.equal(seen.length, 41);
    assert.match(seen[0] ?? '', /colour/);
    assert.equal(seen.at(-1), '40/40');
    const controller = new AbortController();
    const run = readDataset({
      data,
      badImages: 'error',
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await assert.rejects(run, failsWith('E_ABORTED', /cancelled/));
  });
});
