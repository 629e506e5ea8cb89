import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SoftshardError, isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { bytesSource } from '../../src/weights/byte-source.ts';
import { LEGACY_PREFIX } from '../../src/weights/pt-legacy.ts';
import { readPt, readPtSource, type PtCheckpoint } from '../../src/weights/pt-reader.ts';
import {
  ORDERED_DICT,
  PROTO2,
  assemble,
  floatBytes,
  int,
  stateDictPickle,
  tensorOpcodes,
  text,
  zipCheckpoint,
} from './pickle-assembly.ts';

const read = (bytes: Uint8Array): Promise<PtCheckpoint> => readPtSource(bytesSource(bytes, 'test.pt'));

const refused = (bytes: Uint8Array, code: ErrorCode, pattern: RegExp): Promise<void> =>
  assert.rejects(read(bytes), (error) => {
    assert.ok(isSoftshardError(error, code), String(error));
    assert.match(error.message, pattern);
    return true;
  });

const values = (checkpoint: PtCheckpoint): Record<string, unknown> =>
  Object.fromEntries([...checkpoint.state].map(([key, { data }]) => [key, [...data]]));

const scalarSpec = { count: 1, size: [], stride: [] };

describe('state dicts in a zip', () => {
  test('tensors follow size, stride and offset', async () => {
    const pickle = stateDictPickle({
      plain: { count: 6, size: [2, 3], stride: [3, 1] },
      transposed: { count: 6, size: [3, 2], stride: [1, 3] },
      part: { count: 6, offset: 2, size: [2], stride: [2] },
      expanded: { count: 6, offset: 5, size: [3], stride: [0] },
      scalar: { count: 6, offset: 4, size: [], stride: [] },
      empty: { count: 6, size: [0, 4], stride: [4, 1] },
    });
    const checkpoint = await read(zipCheckpoint(pickle, { 0: floatBytes(0, 1, 2, 3, 4, 5) }));
    assert.deepEqual(values(checkpoint), {
      plain: [0, 1, 2, 3, 4, 5],
      transposed: [0, 3, 1, 4, 2, 5],
      part: [2, 4],
      expanded: [5, 5, 5],
      scalar: [4],
      empty: [],
    });
    assert.deepEqual(checkpoint.state.get('transposed')?.shape, [3, 2]);
    assert.equal(checkpoint.isPickledModel, false);
  });

  test('every storage class has its dtype', async () => {
    const cases: [string, string, number, readonly (number | bigint)[]][] = [
      ['DoubleStorage', 'float64', 8, [1.5]],
      ['FloatStorage', 'float32', 4, [0]],
      ['HalfStorage', 'float16', 2, [0]],
      ['BFloat16Storage', 'bfloat16', 2, [0]],
      ['LongStorage', 'int64', 8, [0x3ff8000000000000n]],
      ['IntStorage', 'int32', 4, [0]],
      ['ShortStorage', 'int16', 2, [0]],
      ['CharStorage', 'int8', 1, [0]],
      ['ByteStorage', 'uint8', 1, [0]],
      ['BoolStorage', 'bool', 1, [0]],
    ];
    const bytes = new Uint8Array(Float64Array.of(1.5).buffer);
    for (const [type, dtype, size, expected] of cases) {
      const zip = zipCheckpoint(stateDictPickle({ t: { ...scalarSpec, type } }), { 0: bytes.slice(0, size) });
      const tensor = (await read(zip)).state.get('t');
      assert.equal(tensor?.dtype, dtype);
      assert.deepEqual([...tensor.data], expected);
    }
  });

  test('big-endian storages are swapped', async () => {
    const bytes = Buffer.alloc(8);
    bytes.writeFloatBE(1.25, 0);
    bytes.writeFloatBE(-7, 4);
    const pickle = stateDictPickle({ t: { count: 2, size: [2], stride: [1] } });
    assert.deepEqual(values(await read(zipCheckpoint(pickle, { 0: bytes }, { byteorder: 'big' }))), {
      t: [1.25, -7],
    });
    await refused(
      zipCheckpoint(pickle, { 0: bytes }, { byteorder: 'mixed' }),
      'E_WEIGHTS_FORMAT',
      /byte order/,
    );
  });

  test('_metadata, wrappers, the data-parallel prefix and the anchor cache are put aside', async () => {
    const dict = `${ORDERED_DICT}(${text('module.model.0.w')}${tensorOpcodes(scalarSpec)}${text('module.model.24.anchor_grid')}${tensorOpcodes(scalarSpec)}u}${text('_metadata')}}sb`; // prettier-ignore
    const storages = { 0: floatBytes(3) };
    const plain = zipCheckpoint(assemble(PROTO2, dict, '.'), storages);
    assert.deepEqual(values(await read(plain)), { 'model.0.w': [3] });
    for (const key of ['state_dict', 'model']) {
      const wrapped = assemble(PROTO2, `}(${text(key)}${dict}${text('epoch')}K\x05u.`);
      const checkpoint = await read(zipCheckpoint(wrapped, storages));
      assert.deepEqual(values(checkpoint), { 'model.0.w': [3] });
      assert.equal(checkpoint.epoch, 5);
    }
  });

  test('a tensor under two names is read once', async () => {
    const pickle = assemble(PROTO2, ORDERED_DICT, `(${text('a')}${tensorOpcodes(scalarSpec)}q\x01${text('b')}h\x01u.`); // prettier-ignore
    const { state } = await read(zipCheckpoint(pickle, { 0: floatBytes(1) }));
    assert.equal(state.get('a'), state.get('b'));
  });

  test('tensors must lie inside their storage, and storages have their size', async () => {
    const bad = [
      { count: 2, size: [3], stride: [1] },
      { count: 2, size: [2], stride: [2] },
      { count: 2, offset: 2, size: [], stride: [] },
      { count: 2, size: [2, 2], stride: [1, 1] },
    ];
    for (const t of bad) {
      const zip = zipCheckpoint(stateDictPickle({ t }), { 0: floatBytes(1, 2) });
      await refused(zip, 'E_WEIGHTS_FORMAT', /beyond its storage/);
    }
    const lying = stateDictPickle({ t: { count: 3, size: [3], stride: [1] } });
    await refused(zipCheckpoint(lying, { 0: floatBytes(1, 2) }), 'E_WEIGHTS_FORMAT', /another size/);
    await refused(zipCheckpoint(lying), 'E_WEIGHTS_FORMAT', /missing/);
    const expanded = stateDictPickle({ t: { count: 1, size: [100_000, 10_000], stride: [0, 0] } });
    await refused(zipCheckpoint(expanded, { 0: floatBytes(1) }), 'E_WEIGHTS_FORMAT', /far larger/);
  });

  test('a foreign global is named and the zip entry with its offset', async () => {
    const pickle = assemble(PROTO2, `cposix\nsystem\n${text('true')}\x85R.`);
    await refused(
      zipCheckpoint(pickle),
      'E_WEIGHTS_UNSAFE',
      /test\.pt, x\/data\.pkl, byte 2[\s\S]*posix\.system/,
    );
  });

  test('other contents are refused with what was found', async () => {
    await refused(zipCheckpoint(assemble(PROTO2, 'K\x01.')), 'E_WEIGHTS_FORMAT', /a number/);
    await refused(zipCheckpoint(assemble(PROTO2, '}.')), 'E_WEIGHTS_FORMAT', /no entry/);
    const mixed = assemble(PROTO2, `}(${text('a')}${tensorOpcodes(scalarSpec)}${text('b')}K\x01u.`);
    await refused(zipCheckpoint(mixed, { 0: floatBytes(1) }), 'E_WEIGHTS_FORMAT', /a number under "b"/);
  });
});

/** A module record with the given fields, each an opcode text. */
const module = (name: string, fields: Record<string, string>): string =>
  `c${name.replace(/\.(\w+)$/, '\n$1')}\n)\x81}(${Object.entries(fields)
    .map(([key, value]) => text(key) + value)
    .join('')}ub`;
const dictOf = (items: Record<string, string>): string =>
  `${ORDERED_DICT}(${Object.entries(items)
    .map(([key, value]) => text(key) + value)
    .join('')}u`;
const tensor = (index: number): string => tensorOpcodes({ count: 4, offset: index, size: [], stride: [] });

describe('pickled models', () => {
  const storages = { 0: floatBytes(8, 9, 10, 11) };
  const leaf = module('torch.nn.modules.batchnorm.BatchNorm2d', {
    _modules: ORDERED_DICT,
    _buffers: dictOf({ running_mean: tensor(1), hidden: tensor(2), none: 'N', anchor_grid: tensor(2) }),
    _parameters: dictOf({ weight: tensor(0), bias: 'N' }),
    _non_persistent_buffers_set: `c__builtin__\nset\n](${text('hidden')}e\x85R`,
  });
  const model = (names: string, child: string = leaf): string =>
    module('models.yolo.DetectionModel', {
      _modules: dictOf({ model: module('torch.nn.modules.container.Sequential', { _modules: dictOf({ 0: child }) }) }), // prettier-ignore
      yaml: `}(${text('nc')}K\x02u`,
      names,
      nc: 'K\x02',
      stride: tensorOpcodes({ count: 4, size: [2], stride: [1] }),
    });
  const list = `](${text('cat')}${text('dog')}e`;
  const dict = `}(K\x01${text('dog')}K\x00${text('cat')}u`;

  test('parameters, persistent buffers and children come in order; the description comes along', async () => {
    for (const names of [list, dict]) {
      const pickle = assemble(PROTO2, `}(${text('epoch')}${int(-1)}${text('ema')}N${text('model')}${model(names)}u.`); // prettier-ignore
      const { state, ...rest } = await read(zipCheckpoint(pickle, storages));
      assert.deepEqual([...state.keys()], ['model.0.weight', 'model.0.running_mean']);
      assert.deepEqual(rest, {
        isPickledModel: true,
        epoch: -1,
        yaml: { nc: 2 },
        names: ['cat', 'dog'],
        nc: 2,
        stride: [8, 9],
      });
    }
  });

  test('the averaged weights are preferred', async () => {
    const other = module('torch.nn.modules.linear.Identity', {
      _parameters: dictOf({ averaged: tensor(3) }),
    });
    const pickle = assemble(PROTO2, `}(${text('model')}${model(list)}${text('ema')}${model(list, other)}u.`);
    assert.deepEqual(values(await read(zipCheckpoint(pickle, storages))), { 'model.0.averaged': [11] });
  });

  test('a bare module and a data-parallel one are accepted', async () => {
    const bare = assemble(PROTO2, model(list), '.');
    assert.equal((await read(zipCheckpoint(bare, storages))).names?.[1], 'dog');
    const parallel = module('torch.nn.parallel.data_parallel.DataParallel', { _modules: dictOf({ module: model(list) }) }); // prettier-ignore
    const checkpoint = await read(
      zipCheckpoint(assemble(PROTO2, `}${text('model')}${parallel}s.`), storages),
    );
    assert.deepEqual([...checkpoint.state.keys()], ['model.0.weight', 'model.0.running_mean']);
  });

  test('modules that contain themselves, or are no modules, are refused', async () => {
    const cyclic = `cmodels.yolo\nModel\n)\x81q\x01}${text('_modules')}${ORDERED_DICT}${text('0')}h\x01ssb`;
    await refused(zipCheckpoint(assemble(PROTO2, cyclic, '.')), 'E_WEIGHTS_FORMAT', /nest too deeply/);
    const odd = module('models.yolo.Model', { _parameters: 'K\x01' });
    await refused(zipCheckpoint(assemble(PROTO2, odd, '.')), 'E_WEIGHTS_FORMAT', /no dictionary/);
    const number = module('models.yolo.Model', { _parameters: dictOf({ weight: 'K\x01' }) });
    await refused(zipCheckpoint(assemble(PROTO2, number, '.')), 'E_WEIGHTS_FORMAT', /no tensor/);
  });
});

/** The old container, of a pickle and its storages. */
const legacy = (
  pickle: Uint8Array,
  storages: Record<string, Uint8Array>,
  size = 4,
  little = true,
): Buffer => {
  const counts = Object.values(storages).map((data) => {
    const count = Buffer.alloc(8);
    if (little) count.writeBigInt64LE(BigInt(data.byteLength / size));
    else count.writeBigInt64BE(BigInt(data.byteLength / size));
    return Buffer.concat([count, data]);
  });
  return Buffer.concat([
    LEGACY_PREFIX,
    Buffer.from('.'),
    assemble(PROTO2, 'M\xe9\x03.'),
    assemble(
      PROTO2,
      `}(${text('protocol_version')}M\xe9\x03${text('little_endian')}${little ? '\x88' : '\x89'}u.`,
    ),
    pickle,
    assemble(PROTO2, `](${Object.keys(storages).map(text).join('')}e.`),
    ...counts,
  ]);
};

describe('the old container', () => {
  const spec = { count: 2, size: [2], stride: [1] };
  const pickle = stateDictPickle({ a: { ...spec, key: '7' }, b: { ...spec, key: '12' } });

  test('storages follow in the order of their keys, in either byte order', async () => {
    const storages = { 7: floatBytes(1, 2), 12: floatBytes(3, 4) };
    assert.deepEqual(values(await read(legacy(pickle, storages))), { a: [1, 2], b: [3, 4] });
    const swapped = { 7: Buffer.from(storages[7]).swap32(), 12: Buffer.from(storages[12]).swap32() };
    assert.deepEqual(values(await read(legacy(pickle, swapped, 4, false))), { a: [1, 2], b: [3, 4] });
  });

  test('parts of storages and classes with their source are understood', async () => {
    const view = `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x04(${text('v')}K\x01K\x02ttQ`;
    const tensorOp = `ctorch._utils\n_rebuild_tensor\n(${view}K\x00K\x02\x85K\x01\x85tR`;
    const source = `(${text('module')}cmodels.yolo\nModel\n${text('yolo.py')}${text('class Model: ...')}tQ`;
    const root = `${source})\x81}${text('_parameters')}${ORDERED_DICT}${text('w')}${tensorOp}ssb.`;
    const checkpoint = await read(legacy(assemble(PROTO2, root), { 0: floatBytes(1, 2, 3, 4) }));
    assert.deepEqual(values(checkpoint), { w: [2, 3] });
  });

  test('truncation, wrong counts and foreign globals are refused', async () => {
    const whole = legacy(pickle, { 7: floatBytes(1, 2), 12: floatBytes(3, 4) });
    await refused(whole.subarray(0, -1), 'E_WEIGHTS_FORMAT', /truncated/);
    await refused(
      legacy(pickle, { 7: floatBytes(1), 12: floatBytes(3, 4) }),
      'E_WEIGHTS_FORMAT',
      /another size/,
    );
    await refused(legacy(pickle, { 7: floatBytes(1, 2) }), 'E_WEIGHTS_FORMAT', /lacks a storage/);
    await refused(legacy(assemble(PROTO2, 'cos\nsystem\n.'), {}), 'E_WEIGHTS_UNSAFE', /os\.system/);
    await refused(assemble(PROTO2, 'K\x01.'), 'E_WEIGHTS_FORMAT', /magic number/);
  });
});

describe('damaged object graphs', () => {
  // Behind a correct checksum: whoever makes a hostile file states a fitting one.
  const names = `](${text('cat')}${text('dog')}e`;
  const leaf = module('torch.nn.modules.conv.Conv2d', {
    _parameters: dictOf({ weight: tensor(0), bias: 'N' }),
    _non_persistent_buffers_set: 'c__builtin__\nset\n]\x85R',
  });
  const root = module('models.yolo.Model', {
    _modules: dictOf({ 0: leaf }),
    yaml: `}${text('nc')}K\x02s`,
    names,
  });
  const model = assemble(PROTO2, `}(${text('epoch')}K\x01${text('model')}${root}u.`);
  const storages = { 0: floatBytes(1, 2, 3, 4) };
  const containers: [string, (pickle: Uint8Array) => Buffer][] = [
    ['zip', (pickle) => zipCheckpoint(pickle, storages)],
    ['stream', (pickle) => legacy(pickle, storages)],
  ];
  for (const [title, wrap] of containers) {
    test(`are refused or read, never a crash: ${title}`, async () => {
      assert.equal((await read(wrap(model))).state.size, 1);
      const position = fc.integer({ min: 0, max: model.byteLength - 1 });
      await fc.assert(
        fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
          const pickle = Buffer.from(model);
          pickle.writeUInt8(pickle.readUInt8(at) ^ mask, at);
          try {
            await read(wrap(pickle));
          } catch (error) {
            assert.ok(error instanceof SoftshardError, String(error));
          }
        }),
        { seed: 1, numRuns: 1000 },
      );
    });
  }
});

describe('readPt', () => {
  test('reads a file and names a missing one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pt-reader-'));
    try {
      const path = join(folder, 'weights.pt');
      await writeFile(path, zipCheckpoint(stateDictPickle({ t: scalarSpec }), { 0: floatBytes(2) }));
      assert.deepEqual(values(await readPt(path)), { t: [2] });
      await assert.rejects(readPt(join(folder, 'absent.pt')), (error) => isSoftshardError(error, 'E_FILE'));
      await assert.rejects(readPt(folder), (error) => isSoftshardError(error, 'E_FILE'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
