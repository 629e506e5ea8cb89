import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { openEventFile } from '../../src/train/event-file.ts';
import {
  crc32c,
  decodeRecords,
  decodeScalars,
  encodeRecord,
  encodeScalars,
  maskedChecksum,
  type ScalarEvent,
} from '../../src/train/event-record.ts';
import { pythonWith } from '../python.ts';
import { repositoryRoot } from '../reference.ts';

describe('records', () => {
  test('checksums are those of RFC 3720, appendix B.4', () => {
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(maskedChecksum(Buffer.from('123456789')), 0xc78ab0e5);
  });

  test('scalars come back as they were written, as float32', () => {
    const event = fc.record({
      wallTime: fc.double({ noNaN: true }),
      step: fc.maxSafeNat(),
      values: fc.dictionary(fc.string({ minLength: 1 }), fc.float({ noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const { records, length } = decodeRecords(Buffer.concat(events.map(encodeScalars)));
        assert.equal(
          length,
          records.reduce((sum, record) => sum + record.length + 16, 0),
        );
        const found = records.map(decodeScalars);
        assert.deepEqual(
          found,
          events.map(({ values, ...rest }) => ({
            ...rest,
            values: Object.fromEntries(Object.entries(values)),
          })),
        );
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test('reading ends before the first damaged or cut record', () => {
    const [one, two] = [encodeRecord(Buffer.from('one')), encodeRecord(Buffer.from('two'))];
    const whole = Buffer.concat([one, two]);
    for (let cut = one.length; cut < whole.length; cut++) {
      assert.equal(decodeRecords(whole.subarray(0, cut)).length, one.length);
    }
    for (let at = one.length; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      assert.equal(decodeRecords(damaged).records.length, 1);
    }
  });
});

const rows = Array.from({ length: 4 }, (_, epoch) => ({
  epoch,
  'train/box_loss': 0.5 / (epoch + 1),
  ...(epoch % 2 === 0 ? {} : { 'metrics/mAP_0.5': epoch / 10 }),
}));

describe('the event file of a run', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-events-'));
    file = join(folder, 'tensorboard', 'events.out.tfevents.0000000000.softshard');
  });
  after(() => rm(folder, { recursive: true }));

  const eventsIn = async (): Promise<readonly ScalarEvent[]> =>
    decodeRecords(await readFile(file)).records.flatMap((record) => decodeScalars(record) ?? []);

  test('has each epoch once, however often the run is resumed', async () => {
    let time = 100;
    const now = (): number => time++;
    const first = await openEventFile(file, [], now);
    await first.append(rows.slice(0, 1));
    await first.append(rows.slice(0, 2));
    await first.append(rows.slice(0, 2));
    await first.append(rows.slice(0, 3));
    // The third epoch was written and its checkpoint was not.
    const second = await openEventFile(file, rows.slice(0, 2), now);
    assert.deepEqual(
      (await eventsIn()).map(({ step }) => step),
      [0, 1],
    );
    await second.append(rows);
    // Half a record at the end, as a kill leaves it.
    await truncate(file, (await readFile(file)).length - 5);
    const third = await openEventFile(file, rows, now);
    await third.append(rows);
    const events = await eventsIn();
    assert.deepEqual(
      events.map(({ step }) => step),
      [0, 1, 2, 3],
    );
    assert.deepEqual(
      events.map(({ wallTime }) => wallTime),
      [101, 102, 104, 106],
    );
  });

  test('goes on with a file that is nothing but damage', async () => {
    const content = await readFile(file);
    await writeFile(file, 'nothing of ours');
    const opened = await openEventFile(file, rows, () => 7);
    await opened.append(rows);
    assert.deepEqual(
      (await eventsIn()).map(({ wallTime, step }) => [wallTime, step]),
      rows.map(({ epoch }) => [7, epoch]),
    );
    await writeFile(file, content);
  });

  const found = pythonWith('tensorboard', ['tensorboard']);
  const skip = 'skip' in found ? found.skip : false;
  test('is read by TensorBoard', { skip }, async () => {
    const script = join(repositoryRoot, 'test', 'train', 'read_events.py');
    const python = 'python' in found ? found.python : '';
    const printed = execFileSync(python, [script, dirname(file)], { encoding: 'utf8', stdio: 'pipe' });
    const scalars = z
      .record(z.string(), z.array(z.tuple([z.number(), z.int(), z.number()])))
      .parse(JSON.parse(printed));
    const events = await eventsIn();
    for (const tag of ['train/box_loss', 'metrics/mAP_0.5']) {
      const expected = events.flatMap(({ wallTime, step, values }) =>
        values[tag] === undefined ? [] : [[wallTime, step, values[tag]]],
      );
      assert.deepEqual(scalars[tag], expected);
    }
    assert.equal(Object.keys(scalars).length, 2);
  });
});
