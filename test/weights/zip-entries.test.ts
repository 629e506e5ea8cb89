import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { isSoftshardError } from '../../src/errors.ts';
import { bytesSource } from '../../src/weights/byte-source.ts';
import { openZipEntries, type ZipEntries } from '../../src/weights/zip-entries.ts';
import { zipChunks } from '../../src/weights/zip-writer.ts';

const data = (text: string): Uint8Array => Buffer.from(text);
const sample = (): Buffer =>
  Buffer.concat(
    zipChunks([
      { name: 'x/a', data: data('first') },
      { name: 'x/b', data: data('') },
      { name: 'x/ü', data: data('third') },
    ]),
  );
const open = (bytes: Uint8Array): Promise<ZipEntries> => openZipEntries(bytesSource(bytes, 'test.zip'));
const CENTRAL = Buffer.from('PK\x01\x02', 'latin1');
const LOCAL = Buffer.from('PK\x03\x04', 'latin1');

/** The sample, changed at a field of its first central or local header. */
const patched = (signature: Buffer, field: number, value: number, bytes: 2 | 4 = 4): Buffer => {
  const zip = sample();
  const at = zip.indexOf(signature) + field;
  if (bytes === 2) zip.writeUInt16LE(value, at);
  else zip.writeUInt32LE(value, at);
  return zip;
};

const refused = async (bytes: Uint8Array, pattern: RegExp): Promise<void> => {
  const readAll = async (): Promise<void> => {
    const zip = await open(bytes);
    for (const name of zip.names) await zip.read(name);
  };
  await assert.rejects(readAll(), (error) => {
    assert.ok(isSoftshardError(error, 'E_WEIGHTS_FORMAT'), String(error));
    assert.match(error.message, pattern);
    return true;
  });
};

/** One entry whose sizes and offset, and a directory whose place, are in ZIP64 fields only. */
function zip64(): Buffer {
  const name = data('x/big');
  const body = data('not really');
  const header = Buffer.alloc(24);
  header.writeUInt16LE(45, 0);
  header.writeUInt32LE(crc32(body), 10);
  header.writeUInt32LE(0xffffffff, 14);
  header.writeUInt32LE(0xffffffff, 18);
  header.writeUInt16LE(name.byteLength, 22);
  const sizes = Buffer.alloc(28);
  sizes.writeUInt16LE(1, 0);
  sizes.writeUInt16LE(24, 2);
  sizes.writeBigUInt64LE(BigInt(body.byteLength), 4);
  sizes.writeBigUInt64LE(BigInt(body.byteLength), 12);
  sizes.writeBigUInt64LE(0n, 20);
  const extra = Buffer.alloc(2);
  extra.writeUInt16LE(sizes.byteLength);
  const local = Buffer.concat([LOCAL, header, extra, name, sizes, body]);
  const tail = Buffer.alloc(14); // comment, disk, attributes, offset
  tail.writeUInt32LE(0xffffffff, 10);
  const central = Buffer.concat([CENTRAL, Buffer.of(45, 0), header, extra, tail, name, sizes]); // prettier-ignore
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(1n, 24);
  record.writeBigUInt64LE(1n, 32);
  record.writeBigUInt64LE(BigInt(central.byteLength), 40);
  record.writeBigUInt64LE(BigInt(local.byteLength), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(local.byteLength + central.byteLength), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22, 0xff);
  end.write('PK\x05\x06', 'latin1');
  end.fill(0, 4, 8);
  end.fill(0, 20);
  return Buffer.concat([local, central, record, locator, end]);
}

describe('zip entries', () => {
  test('reads back what the writer wrote, aligned', async () => {
    const bytes = sample();
    const zip = await open(bytes);
    assert.deepEqual(zip.names, ['x/a', 'x/b', 'x/ü']);
    assert.equal(Buffer.from(await zip.read('x/a')).toString(), 'first');
    assert.equal((await zip.read('x/b')).byteLength, 0);
    assert.equal(zip.sizeOf('x/ü'), 5);
    assert.equal(zip.sizeOf('absent'), undefined);
    assert.equal(bytes.indexOf('first') % 64, 0);
    assert.equal(bytes.indexOf('third') % 64, 0);
  });

  test('reads ZIP64', async () => {
    const zip = await open(zip64());
    assert.equal(Buffer.from(await zip.read('x/big')).toString(), 'not really');
  });

  test('refuses an entry that claims to be larger than the file', async () => {
    const zip = patched(CENTRAL, 20, 0xfffffff0);
    zip.writeUInt32LE(0xfffffff0, zip.indexOf(CENTRAL) + 24);
    await refused(zip, /damaged|truncated|described differently/);
  });

  test('refuses two sizes for one stored entry', () => refused(patched(CENTRAL, 24, 4), /mismatch/));
  test('refuses a local header that contradicts the directory', async () => {
    await refused(patched(LOCAL, 18, 4), /described differently/);
    await refused(patched(LOCAL, 22, 400), /described differently/);
    await refused(patched(LOCAL, 14, 1), /described differently/);
    await refused(patched(LOCAL, 30, 0x7979), /described differently/); // its name
  });
  test('refuses compressed and encrypted entries', async () => {
    await refused(patched(CENTRAL, 10, 8, 2), /compressed/);
    await refused(patched(CENTRAL, 8, 1, 2), /encrypted|mismatch/);
  });
  test('refuses wrong bytes', async () => {
    const zip = sample();
    zip.write('F', zip.indexOf('first'));
    await refused(zip, /crc32/);
  });
  test('refuses two entries of one name', () =>
    refused(Buffer.concat(zipChunks([{ name: 'x', data: data('1') }, { name: 'x', data: data('2') }])), /one name/)); // prettier-ignore

  test('refuses an entry inside another', async () => {
    const inner = Buffer.concat(zipChunks([{ name: 'in', data: data('inner') }]));
    const nested = inner.subarray(0, inner.indexOf(CENTRAL));
    const zip = Buffer.concat(zipChunks([{ name: 'a', data: nested }, { name: 'in', data: data('inner') }])); // prettier-ignore
    const second = zip.indexOf(CENTRAL, zip.indexOf(CENTRAL) + 4);
    zip.writeUInt32LE(zip.indexOf(LOCAL, 4), second + 42);
    await refused(zip, /overlap/);
  });

  test('refuses every truncation, and names the file', async () => {
    const zip = sample();
    for (let length = 0; length < zip.byteLength; length += 7) {
      await assert.rejects(
        open(zip.subarray(0, length)),
        (error) =>
          isSoftshardError(error, 'E_WEIGHTS_FORMAT') && (error.detail.where ?? '').startsWith('test.zip'),
      );
    }
  });

  test('a ZIP64 directory at an impossible place is an error, not a crash', async () => {
    const zip = zip64();
    zip.writeBigUInt64LE(2n ** 63n, zip.indexOf('PK\x06\x06', 'latin1') + 48);
    await refused(zip, /damaged|does not have/);
    const locator = zip64();
    locator.writeBigUInt64LE(2n ** 64n - 1n, locator.indexOf('PK\x06\x07', 'latin1') + 8);
    await refused(locator, /damaged|does not have/);
  });
});
