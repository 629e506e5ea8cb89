/** COCO json and Pascal VOC xml read as data sets: equal to the same labels in YOLO's files. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { readDataset } from '../../src/data/read-dataset.ts';
import type { Dataset } from '../../src/data/sample.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { noiseImage } from './pixel-noise.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

const [WIDTH, HEIGHT] = [40, 20];
const picture = await sharp(noiseImage(WIDTH, HEIGHT, 1).pixels, {
  raw: { width: WIDTH, height: HEIGHT, channels: 3 },
})
  .jpeg()
  .toBuffer();

const read = (data: string, options: Partial<Parameters<typeof readDataset>[0]> = {}): Promise<Dataset> =>
  readDataset({ data, badImages: 'error', ...options });
const failsWith =
  (code: ErrorCode, text: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isSoftshardError(error, code), String(error));
    assert.match(error.message, text);
    return true;
  };

const categories = [
  { id: 90, name: 'dog' },
  { id: 3, name: 'cat' },
];
const cocoBox = (
  id: number,
  image: number,
  category: number,
  bbox: readonly number[],
  more = {},
): object => ({
  id,
  image_id: image,
  category_id: category,
  bbox,
  iscrowd: 0,
  ...more,
});

function writeCoco(
  folder: TemporaryFolder,
  annotations: readonly object[],
  file = 'annotations/instances_train2017.json',
): string {
  for (const name of ['a', 'b']) folder.write(`train2017/${name}.jpg`, picture);
  const images = ['a', 'b'].map((name, i) => ({
    id: 10 + i,
    file_name: `${name}.jpg`,
    width: WIDTH,
    height: HEIGHT,
  }));
  return folder.write(file, JSON.stringify({ images, annotations, categories }));
}

/** The same images and boxes in YOLO's layout. */
function writeYolo(folder: TemporaryFolder): void {
  for (const name of ['a', 'b']) folder.write(`images/train/${name}.jpg`, picture);
  folder.write('labels/train/a.txt', '1 0.375 0.5 0.25 0.5\n0 0.5 0.25 0.1 0.1\n');
  folder.write('classes.txt', 'cat\ndog\n');
}

const good = [cocoBox(1, 10, 90, [10, 5, 10, 10], { area: 60 }), cocoBox(2, 10, 3, [18, 4, 4, 2])];

describe('COCO json', () => {
  test('gives the labels of YOLO’s files: categories by ascending id, images without boxes as background', async (t) => {
    const coco = temporaryFolder(t);
    const file = writeCoco(coco, good);
    const yolo = temporaryFolder(t);
    writeYolo(yolo);
    const expected = await read(yolo.path);
    for (const data of [
      coco.path,
      file,
      coco.write('data.yaml', 'train: annotations/instances_train2017.json\nnames: [cat, dog]'),
    ]) {
      const found = await read(data, { split: 'train' });
      assert.deepEqual(found.names, ['cat', 'dog']);
      assert.deepEqual(
        found.samples.map(({ path }) => path),
        ['train2017/a.jpg', 'train2017/b.jpg'],
      );
      assert.deepEqual(
        found.samples.map(({ labels, digest }) => [labels, digest]),
        expected.samples.map(({ labels, digest }) => [labels, digest]),
      );
    }
    const [first] = (await read(coco.path)).samples;
    assert.deepEqual(first?.annotations?.[0], {
      classIndex: 1,
      left: 10,
      top: 5,
      width: 10,
      height: 10,
      area: 60,
      kind: 'object',
    });
  });

  test('keeps crowds for COCO’s evaluation only, and names boxes without an area', async (t) => {
    const folder = temporaryFolder(t);
    writeCoco(folder, [
      ...good,
      cocoBox(3, 11, 3, [0, 0, 40, 20], { iscrowd: 1 }),
      cocoBox(4, 11, 3, [0, 0, 0, 20]),
      cocoBox(5, 99, 3, [0, 0, 4, 4]),
    ]);
    const warnings: string[] = [];
    const { samples } = await read(folder.path, { onWarning: (text) => warnings.push(text) });
    assert.deepEqual(samples[1]?.labels, []);
    assert.deepEqual(
      samples[1].annotations?.map(({ kind }) => kind),
      ['crowd'],
    );
    assert.match(warnings.join('\n'), /without an area: annotation 4\n.*does not list: annotation 5/);
  });

  for (const [fault, annotation, found] of [
    ['a box outside the image', cocoBox(7, 11, 3, [39, 0, 10, 5]), /json, annotation 7[^]*left 39/],
    ['no box', cocoBox(7, 11, 3, [1, 2]), /json, annotation 7[^]*bbox[^]*\[1,2\]/],
    ['an unknown category', cocoBox(7, 11, 4, [1, 1, 2, 2]), /json, annotation 7[^]*4/],
  ] as const) {
    test(`names file and annotation of ${fault}`, async (t) => {
      const folder = temporaryFolder(t);
      writeCoco(folder, [...good, annotation]);
      await assert.rejects(read(folder.path), failsWith('E_LABEL', found));
      if (fault === 'an unknown category') return;
      const { samples, dropped } = await read(folder.path, { badImages: 'drop' });
      assert.equal(samples.length, 1);
      assert.match(dropped[0]?.reason ?? '', /^instances_train2017\.json, annotation 7: /);
    });
  }

  test('refuses other json, other classes than the yaml’s, images that are elsewhere, another size', async (t) => {
    const folder = temporaryFolder(t);
    const other = folder.write('other.json', '{"images": []}');
    await assert.rejects(read(other), failsWith('E_DATA_YAML', /no list categories/));
    writeCoco(folder, good);
    const yaml = folder.write('data.yaml', 'train: annotations/instances_train2017.json\nnames: [cat, cow]');
    await assert.rejects(read(yaml), failsWith('E_DATA_YAML', /dog \(category 90\)/));
    const lost = temporaryFolder(t);
    lost.write(
      'instances_train.json',
      JSON.stringify({ images: [{ id: 1, file_name: 'x.jpg' }], annotations: [], categories }),
    );
    await assert.rejects(read(lost.path), failsWith('E_DATA_YAML', /x\.jpg in one of/));
    const turned = temporaryFolder(t);
    turned.write('train/x.jpg', picture);
    turned.write(
      'train/_annotations.coco.json',
      JSON.stringify({
        images: [{ id: 1, file_name: 'x.jpg', width: HEIGHT, height: WIDTH }],
        annotations: [],
        categories,
      }),
    );
    await assert.rejects(read(turned.path), failsWith('E_LABEL', /another size[^]*20 x 40/));
  });
});

const object = (name: string, box: readonly number[], more = ''): string =>
  `<object>\n<name>${name}</name>${more}<bndbox>${['xmin', 'ymin', 'xmax', 'ymax']
    .map((side, i) => `<${side}>${box[i]}</${side}>`)
    .join('')}</bndbox>\n</object>\n`;
const xml = (...objects: readonly string[]): string =>
  `<?xml version="1.0"?>\n<annotation>\n<size><width>${WIDTH}</width><height>${HEIGHT}</height></size>\n${objects.join('')}</annotation>\n`;
/** [10, 5] to [20, 15] and [18, 4] to [22, 6], counted from 1. */
const goodXml = xml(object('dog', [11, 6, 21, 16]), object('cat', [19, 5, 23, 7]));

describe('Pascal VOC xml', () => {
  test('gives the labels of YOLO’s files in every layout', async (t) => {
    const yolo = temporaryFolder(t);
    writeYolo(yolo);
    const expected = await read(yolo.path);
    const devkit = temporaryFolder(t);
    for (const name of ['a', 'b', 'c']) devkit.write(`JPEGImages/${name}.jpg`, picture);
    devkit.write('Annotations/a.xml', goodXml);
    devkit.write('Annotations/b.xml', xml());
    devkit.write('Annotations/c.xml', xml(object('cow', [2, 2, 9, 9])));
    devkit.write('ImageSets/Main/trainval.txt', 'a\nb\n');
    devkit.write('ImageSets/Main/test.txt', 'c\n');
    devkit.write('ImageSets/Main/cat_train.txt', 'a -1\n');
    const beside = temporaryFolder(t);
    for (const name of ['a', 'b']) beside.write(`train/${name}.jpg`, picture);
    beside.write('train/a.xml', goodXml);
    for (const [folder, names] of [
      [devkit, ['cat', 'cow', 'dog']],
      [beside, ['cat', 'dog']],
    ] as const) {
      const found = await read(folder.path);
      assert.equal(found.split, 'train');
      assert.deepEqual(found.names, names);
      assert.deepEqual(
        found.samples.map(({ labels, digest }) => [
          labels?.map((label) => ({ ...label, name: names[label.classIndex], classIndex: 0 })),
          digest,
        ]),
        expected.samples.map(({ labels, digest }) => [
          labels?.map((label) => ({ ...label, name: expected.names[label.classIndex], classIndex: 0 })),
          digest,
        ]),
      );
    }
    assert.deepEqual(
      (await read(devkit.path, { split: 'test' })).samples.map(({ path }) => path),
      ['JPEGImages/c.jpg'],
    );
  });

  test('difficult objects are not learned from; classes.txt decides the classes', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('a.jpg', picture);
    folder.write(
      'a.xml',
      xml(object('dog', [11, 6, 21, 16], '<difficult>1</difficult>'), object('cat', [1, 1, 1, 9])),
    );
    folder.write('classes.txt', 'dog\ncat\n');
    const warnings: string[] = [];
    const { samples, names } = await read(folder.path, { onWarning: (text) => warnings.push(text) });
    assert.deepEqual(names, ['dog', 'cat']);
    assert.deepEqual(samples[0]?.labels, []);
    assert.deepEqual(
      samples[0].annotations?.map(({ kind }) => kind),
      ['difficult'],
    );
    assert.match(warnings.join('\n'), /without an area: a\.xml:7/);
    folder.write('classes.txt', 'dog\n');
    await assert.rejects(read(folder.path), failsWith('E_LABEL', /a\.xml:7[^]*cat/));
  });

  for (const [fault, text, found] of [
    ['a box outside the image', xml(object('dog', [39, 1, 49, 5])), /a\.xml:4[^]*left 38/],
    ['no number', goodXml.replace('<ymax>16', '<ymax>x'), /a\.xml:4[^]*ymax x/],
    ['no name', goodXml.replace('<name>cat</name>', ''), /without a name[^]*a\.xml:7/],
    ['no xml', goodXml.replace('</size>', ''), /no valid XML[^]*a\.xml:10/],
    ['another format', '<html></html>', /a\.xml[^]*<html>/],
  ] as const) {
    test(`names file and line of ${fault}`, async (t) => {
      const folder = temporaryFolder(t);
      for (const name of ['a', 'b']) folder.write(`${name}.jpg`, picture);
      folder.write('a.xml', text);
      await assert.rejects(read(folder.path), failsWith('E_LABEL', found));
      const { samples, dropped } = await read(folder.path, { badImages: 'drop' });
      assert.equal(samples.length, 1);
      assert.match(dropped[0]?.reason ?? '', /^a\.xml/);
    });
  }

  test('label files of YOLO go first', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('images/a.jpg', picture);
    folder.write('labels/a.txt', '0 0.5 0.5 0.5 0.5\n');
    folder.write('annotations/a.xml', goodXml);
    assert.deepEqual((await read(folder.path)).samples[0]?.labels?.length, 1);
  });
});
