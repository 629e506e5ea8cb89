/** Decoding equals OpenCV's; every format, orientation and kind of damage is handled. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { z } from 'zod';
import { decodeImage } from '../../src/data/decode-image.ts';
import { readImageHeader } from '../../src/data/image-header.ts';
import type { RgbImage } from '../../src/data/rgb-image.ts';
import { isSoftshardError, type SoftshardError } from '../../src/errors.ts';
import { reference, repositoryRoot, skipWithoutReference } from '../reference.ts';
import { noiseImage } from './pixel-noise.ts';
import { temporaryFolder } from './temporary-folder.ts';

const fixture = (name: string): string => join(repositoryRoot, 'fixtures', 'parity', name);
const parity = z
  .object({
    cmyk: z.object({ file: z.string(), width: z.int(), height: z.int(), sha256: z.string() }),
    coco128: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(fixture('decode.json'), 'utf8')));

const digest = (pixels: Uint8Array): string => createHash('sha256').update(pixels).digest('hex').slice(0, 16);
const encoder = (image: RgbImage): Sharp =>
  sharp(image.pixels, { raw: { width: image.width, height: image.height, channels: 3 } });
const noise = noiseImage(24, 16, 5);
/** A photograph-like picture: smooth enough for JPEG, large enough for many rows of blocks. */
const photo = (): Sharp => encoder(noiseImage(20, 16, 9)).resize(160, 128, { kernel: 'cubic' });

const failure = async (promise: Promise<unknown>): Promise<SoftshardError> => {
  try {
    await promise;
  } catch (error) {
    if (isSoftshardError(error, 'E_IMAGE')) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('decodeImage', () => {
  test(
    'pixels of coco128 equal those of OpenCV 4.6, bit for bit',
    { skip: skipWithoutReference },
    async () => {
      const names = Object.entries(parity.coco128);
      assert.equal(names.length, 128);
      for (const [name, expected] of names) {
        const image = await decodeImage(reference('data', 'coco128', 'images', 'train2017', name));
        assert.equal(digest(image.pixels), expected, name);
      }
    },
  );

  test('a CMYK JPEG equals OpenCV 4.6, bit for bit', async () => {
    const image = await decodeImage(fixture(parity.cmyk.file));
    assert.deepEqual([image.width, image.height], [parity.cmyk.width, parity.cmyk.height]);
    assert.equal(digest(image.pixels), parity.cmyk.sha256);
  });

  const lossless: Record<string, (s: Sharp) => Sharp> = {
    png: (s) => s.png(),
    webp: (s) => s.webp({ lossless: true }),
    tiff: (s) => s.tiff({ compression: 'lzw' }),
    'png with alpha': (s) => s.ensureAlpha(0.25).png(),
    'webp with alpha': (s) => s.ensureAlpha(0.25).webp({ lossless: true, exact: true }),
    'png with a colour profile': (s) => s.keepIccProfile().png(),
  };
  for (const [name, encode] of Object.entries(lossless)) {
    test(`${name} gives back its pixels`, async () => {
      const image = await decodeImage(await encode(encoder(noise)).toBuffer());
      assert.deepEqual(image, noise);
    });
  }

  test('an embedded profile changes nothing', async () => {
    const plain = await photo().jpeg().toBuffer();
    const tagged = await sharp(plain).withIccProfile('p3').jpeg().toBuffer();
    assert.ok(tagged.includes('ICC_PROFILE'));
    const raw = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    assert.deepEqual((await decodeImage(tagged)).pixels, new Uint8Array(raw));
  });

  test('grey is replicated', async () => {
    for (const bytes of [
      await encoder(noise).greyscale().png().toBuffer(),
      await encoder(noise).greyscale().jpeg().toBuffer(),
      await encoder(noise).toColourspace('b-w').png().toBuffer(),
      await encoder(noise).toColourspace('grey16').png().toBuffer(),
    ]) {
      const { pixels } = await decodeImage(bytes);
      assert.equal(pixels.length, noise.pixels.length);
      for (let i = 0; i < pixels.length; i += 3) {
        assert.equal(pixels[i], pixels[i + 1]);
        assert.equal(pixels[i], pixels[i + 2]);
      }
    }
  });

  test('16 bits are cut to 8', async () => {
    const values = Uint16Array.from({ length: 8 * 4 * 3 }, (_, i) => (i * 683) % 65536);
    const png = await sharp(values, { raw: { width: 8, height: 4, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    assert.equal((await sharp(png).metadata()).depth, 'ushort');
    assert.deepEqual(
      [...(await decodeImage(png)).pixels],
      [...values].map((v) => v >> 8),
    );
  });

  test('AVIF decodes', async () => {
    const avif = await photo().avif({ quality: 90 }).toBuffer();
    const { width, height, pixels } = await decodeImage(avif);
    assert.deepEqual([width, height], [160, 128]);
    const original = new Uint8Array(await photo().raw().toBuffer());
    const error = pixels.reduce((sum, v, i) => sum + Math.abs(v - (original[i] ?? 0)), 0) / pixels.length;
    assert.ok(error < 8, `mean error ${error}`);
    assert.equal((await readImageHeader(avif, 'x')).format, 'avif');
  });

  for (const format of ['gif', 'webp'] as const) {
    test(`of an animated ${format} the first frame is taken`, async () => {
      const frame = (red: number): Buffer => Buffer.alloc(12 * 10 * 3, Buffer.from([red, 40, 80]));
      const frames = Buffer.concat([frame(0), frame(128), frame(250)]);
      const stack = sharp(frames, { raw: { width: 12, height: 30, channels: 3, pageHeight: 10 } });
      const bytes = await (format === 'gif' ? stack.gif() : stack.webp({ lossless: true })).toBuffer();
      assert.equal((await sharp(bytes).metadata()).pages, 3);
      assert.deepEqual(
        { format, width: 12, height: 10, cmyk: false },
        { ...(await readImageHeader(bytes, 'x')) },
      );
      const image = await decodeImage(bytes);
      assert.deepEqual([image.width, image.height], [12, 10]);
      assert.deepEqual([...image.pixels.subarray(0, 3)], [0, 40, 80]);
    });
  }

  test('all eight EXIF orientations come out upright, header and pixels', async () => {
    // Where the stored pixel (x, y) of a w x h picture is shown.
    const shown: Record<number, (x: number, y: number, w: number, h: number) => readonly [number, number]> = {
      1: (x, y) => [x, y],
      2: (x, y, w) => [w - 1 - x, y],
      3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
      4: (x, y, _w, h) => [x, h - 1 - y],
      5: (x, y) => [y, x],
      6: (x, y, _w, h) => [h - 1 - y, x],
      7: (x, y, w, h) => [h - 1 - y, w - 1 - x],
      8: (x, y, w) => [y, w - 1 - x],
    };
    const { width: w, height: h, pixels } = noise;
    for (const [orientation, place] of Object.entries(shown)) {
      const bytes = await encoder(noise)
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer();
      const swapped = Number(orientation) >= 5;
      const size = swapped ? [h, w] : [w, h];
      const header = await readImageHeader(bytes, 'x');
      const image = await decodeImage(bytes);
      assert.deepEqual([header.width, header.height], size, orientation);
      assert.deepEqual([image.width, image.height], size, orientation);
      for (let y = 0; y < h; y++) {
        for (let x = 0; x < w; x++) {
          const [X, Y] = place(x, y, w, h);
          assert.equal(image.pixels[(Y * image.width + X) * 3], pixels[(y * w + x) * 3], orientation);
        }
      }
    }
  });
});

describe('damaged images', () => {
  test('truncated files of every format are E_IMAGE naming the file and the cause', async (t) => {
    const folder = temporaryFolder(t);
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
      const bytes = await photo().toFormat(format).toBuffer();
      const file = folder.write(`half.${format}`, bytes.subarray(0, bytes.length >> 1));
      const error = await failure(decodeImage(file));
      assert.equal(error.detail.where, file);
      assert.ok(error.detail.cause instanceof Error, format);
      assert.ok((error.detail.remedy ?? '').length > 0);
      assert.ok((error.detail.found ?? '').length > 0);
    }
  });

  test('a JPEG that lacks only its end marker decodes to the same pixels', async () => {
    for (const progressive of [false, true]) {
      const bytes = await photo().jpeg({ progressive, quality: 90 }).toBuffer();
      assert.deepEqual([...bytes.subarray(-2)], [0xff, 0xd9]);
      assert.deepEqual(await decodeImage(bytes.subarray(0, -2)), await decodeImage(bytes));
    }
  });

  test('a JPEG that lacks picture data is refused, however little', async () => {
    const bytes = await photo().jpeg({ quality: 90 }).toBuffer();
    for (const cut of [10, 30, 100, 400, 1500]) {
      await failure(decodeImage(bytes.subarray(0, bytes.length - cut), { name: `cut ${cut}` }));
    }
  });

  test('bytes after the end marker are ignored', async () => {
    const bytes = await photo().jpeg().toBuffer();
    assert.deepEqual(
      await decodeImage(Buffer.concat([bytes, Buffer.alloc(77, 3)])),
      await decodeImage(bytes),
    );
  });

  test('missing files, folders, empty files, text and foreign formats', async (t) => {
    const folder = temporaryFolder(t);
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="9" height="9"/></svg>';
    const files = [
      join(folder.path, 'missing.jpg'),
      folder.path,
      folder.write('empty.jpg', ''),
      folder.write('text.jpg', 'no picture'),
      folder.write('drawing.png', svg),
      folder.write('bitmap.bmp', Buffer.from('BM' + '\0'.repeat(60), 'latin1')),
    ];
    for (const file of files) assert.equal((await failure(decodeImage(file))).detail.where, file);
    assert.match((await failure(decodeImage(files[4] ?? ''))).detail.found ?? '', /svg/);
  });

  test('an image above the pixel limit is refused before it is unpacked', async () => {
    const bytes = await encoder(noise).png().toBuffer();
    assert.match(
      (await failure(decodeImage(bytes, { maxPixels: 383, name: 'big.png' }))).message,
      /pixel limit/,
    );
    await decodeImage(bytes, { maxPixels: 384 });
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    assert.match((await failure(decodeImage(bomb, { name: 'bomb.png' }))).message, /pixel limit/);
  });
});
