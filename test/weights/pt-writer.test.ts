import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SoftshardError } from '../../src/errors.ts';
import type { StateDict, TensorData } from '../../src/model/tensor-data.ts';
import { bytesSource } from '../../src/weights/byte-source.ts';
import { readPt, readPtSource } from '../../src/weights/pt-reader.ts';
import { encodePt, writePt } from '../../src/weights/pt-writer.ts';
import { reference, repositoryRoot, skipWithoutReference } from '../reference.ts';
import { arbitraryState, sampleState } from './sample-state.ts';

const python = spawnSync('python3', ['--version']).status === 0;
const skipWithoutPython = python ? false : 'no python3 on this machine';

const encode = (state: StateDict): Buffer => Buffer.concat(encodePt(state));
const decode = async (bytes: Uint8Array): Promise<StateDict> =>
  (await readPtSource(bytesSource(bytes, 'test.pt'))).state;

const checkWithPython = (path: string): unknown => {
  const script = join(repositoryRoot, 'test', 'weights', 'check-pt.py');
  const { status, stdout, stderr } = spawnSync('python3', [script, path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
};

describe('writing .pt', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pt-writer-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('reads back with every dtype, in order', async () => {
    const state = sampleState();
    assert.deepEqual([...(await decode(encode(state)))], [...state]);
  });

  test('any state dict reads back', () =>
    fc.assert(
      fc.asyncProperty(arbitraryState, async (state) => {
        assert.deepEqual([...(await decode(encode(state)))], [...state]);
      }),
      { seed: 1, numRuns: 100 },
    ));

  test('the bytes are a function of the tensors', () => {
    const digest = createHash('sha256').update(encode(sampleState())).digest('hex');
    assert.equal(digest, createHash('sha256').update(encode(sampleState())).digest('hex'));
    assert.equal(digest, '8039f3bb6e0db56366fead382bcc61c41edf1f7013d243823c1373e1918388fd');
  });

  test('the file appears whole', async () => {
    const path = join(folder, 'whole.pt');
    await writePt(path, sampleState());
    assert.deepEqual(await readFile(path), encode(sampleState()));
    assert.deepEqual(await readdir(folder), ['whole.pt']);
  });

  test('Python’s own pickle and zip read it', { skip: skipWithoutPython }, async () => {
    const path = join(folder, 'python.pt');
    const state = sampleState();
    state.delete('bfloat16'); // struct has no bfloat16
    await writePt(path, state);
    const storage: Record<string, string> = { float64: 'Double', float32: 'Float', float16: 'Half', int64: 'Long', int32: 'Int', int16: 'Short', int8: 'Char', uint8: 'Byte', bool: 'Bool' }; // prettier-ignore
    const values = ({ dtype, data }: TensorData): number[] =>
      dtype === 'float16' ? [1, -2, 0] : Array.from(data as ArrayLike<number | bigint>, Number);
    assert.deepEqual(
      checkWithPython(path),
      [...state].map(([key, tensor]) => [key, `${storage[tensor.dtype] ?? ''}Storage`, tensor.shape, values(tensor)]), // prettier-ignore
    );
  });

  const skip = skipWithoutPython !== false ? skipWithoutPython : skipWithoutReference;
  test('a whole model, written, is read by Python with equal values', { skip }, async () => {
    const { state } = await readPt(reference('ref', 'E_init_student.pt'));
    const path = join(folder, 'student.pt');
    await writePt(path, state);
    const rows = checkWithPython(path);
    const expected = [...state].map(([key, { dtype, shape, data }]) => [
      key,
      dtype === 'int64' ? 'LongStorage' : 'FloatStorage',
      shape,
      Array.from(data as ArrayLike<number | bigint>, Number),
    ]);
    assert.deepEqual(rows, expected);
  });

  test('damage is refused or read, never a crash: truncations and flipped bytes', async () => {
    const whole = encode(sampleState());
    const attempt = async (bytes: Uint8Array): Promise<void> => {
      try {
        await decode(bytes);
      } catch (error) {
        assert.ok(error instanceof SoftshardError, String(error));
      }
    };
    const position = fc.integer({ min: 0, max: whole.byteLength - 1 });
    await fc.assert(
      fc.asyncProperty(position, (length) => attempt(whole.subarray(0, length))),
      { seed: 1, numRuns: 200 },
    );
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        return attempt(bytes);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
