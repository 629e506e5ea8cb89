import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { bytesSource } from '../../src/weights/byte-source.ts';
import { CHECKPOINT_KEYS, checkpointMetadata } from '../../src/weights/checkpoint-metadata.ts';
import { loadWeights, loadWeightsSource, type LoadedWeights } from '../../src/weights/load.ts';
import { LEGACY_PREFIX } from '../../src/weights/pt-legacy.ts';
import { encodePt } from '../../src/weights/pt-writer.ts';
import { encodeSafetensors, writeSafetensors, type Metadata } from '../../src/weights/safetensors.ts';
import { reference, skipWithoutReference } from '../reference.ts';
import { sampleState } from './sample-state.ts';

const load = (bytes: Uint8Array): Promise<LoadedWeights> => loadWeightsSource(bytesSource(bytes, 'weights'));
const safetensors = (metadata?: Metadata): Buffer =>
  Buffer.concat(encodeSafetensors(sampleState(), metadata));

const refused = (bytes: Uint8Array, pattern: RegExp, code: ErrorCode = 'E_WEIGHTS_FORMAT'): Promise<void> =>
  assert.rejects(load(bytes), (error) => {
    assert.ok(isSoftshardError(error, code), String(error));
    assert.match(error.message, pattern);
    return true;
  });

describe('loadWeights', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'load-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('tells formats by content, whatever the name', async () => {
    const path = join(folder, 'misnamed.pt');
    await writeSafetensors(path, sampleState(), { format: 'pt' });
    const loaded = await loadWeights(path);
    assert.equal(loaded.format, 'safetensors');
    assert.deepEqual([...loaded.state], [...sampleState()]);
    assert.deepEqual(loaded.metadata, { format: 'pt' });
    const pt = await load(Buffer.concat(encodePt(sampleState())));
    assert.equal(pt.format, 'pt-state');
    assert.deepEqual([...pt.state], [...sampleState()]);
  });

  test('a checkpoint of Softshard brings its description', async () => {
    const description = {
      yaml: { nc: 2, backbone: [[-1, 1, 'Conv', [8, 3]]] },
      names: ['a', 'b'],
      strides: [8, 16],
    };
    const metadata = checkpointMetadata(description);
    const { state, ...rest } = await load(safetensors(metadata));
    assert.equal(state.size, sampleState().size);
    assert.deepEqual(rest, { format: 'softshard-checkpoint', metadata, ...description });
  });

  test('an unknown major is refused, an unknown minor and unknown keys are kept', async () => {
    const version = (major: number, minor: number): Metadata => ({
      [CHECKPOINT_KEYS.format]: JSON.stringify({ format: 'softshard-checkpoint', major, minor, more: 1 }),
      'softshard.later': '1',
    });
    await refused(safetensors(version(2, 0)), /major version 1[\s\S]*2\.0/);
    const { format, metadata } = await load(safetensors(version(1, 7)));
    assert.equal(format, 'softshard-checkpoint');
    assert.equal(metadata?.['softshard.later'], '1');
  });

  test('malformed metadata are refused, naming the key', async () => {
    const good = checkpointMetadata({});
    await refused(safetensors({ ...good, [CHECKPOINT_KEYS.names]: '[1]' }), /softshard\.names/);
    await refused(safetensors({ ...good, [CHECKPOINT_KEYS.strides]: '[0]' }), /softshard\.strides/);
    await refused(safetensors({ ...good, [CHECKPOINT_KEYS.yaml]: '{' }), /softshard\.yaml/);
    await refused(safetensors({ [CHECKPOINT_KEYS.format]: '{}' }), /softshard\.format/);
  });

  const tar = Buffer.alloc(1024);
  tar.write('ustar', 257);
  const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
  const impostors: [string, Uint8Array, RegExp][] = [
    ['an empty file', Buffer.alloc(0), /an empty file/],
    ['one byte', Buffer.of(1), /bytes 01/],
    ['a Git LFS pointer', Buffer.from(lfs), /LFS pointer[\s\S]*git lfs pull/],
    ['an HTML page', Buffer.from('\n<!DOCTYPE html><html>'), /HTML/],
    ['an HTML page with a byte order mark', Buffer.from('\ufeff<html lang="en">'), /HTML/],
    ['an XML error', Buffer.from('<?xml version="1.0"?><Error/>'), /XML/],
    ['a tar archive', tar, /tar/],
    ['a gzip archive', Buffer.of(0x1f, 0x8b, 8, 0), /gzip/],
    ['an empty zip', Buffer.from('PK\x05\x06'), /empty zip/],
    ['a NumPy array', Buffer.from('\x93NUMPY', 'latin1'), /NumPy/],
    ['a plain pickle', Buffer.from('\x80\x04K\x01.', 'latin1'), /torch\.save/],
    ['a text', Buffer.from('epoch,loss\n'), /no format that Softshard knows/],
    ['a truncated zip', Buffer.concat(encodePt(sampleState())).subarray(0, 900), /damaged or truncated/],
    ['a truncated old file', LEGACY_PREFIX, /truncated/],
    ['a truncated safetensors', safetensors().subarray(0, 100), /truncated/],
    ['a safetensors without tensors', Buffer.concat(encodeSafetensors(new Map())), /no tensors/],
  ];
  for (const [title, bytes, pattern] of impostors) {
    test(`says what it found: ${title}`, () => refused(bytes, pattern));
  }

  test('real checkpoints', { skip: skipWithoutReference }, async () => {
    const model = await loadWeights(reference('weights', 'bccd-yolov5n.pt'));
    assert.equal(model.format, 'pt-model');
    assert.deepEqual(model.names, ['RBC', 'WBC', 'Platelets']);
    assert.deepEqual(model.strides, [8, 16, 32]);
    const state = await loadWeights(reference('ref', 'E_init_student.pt'));
    assert.equal(state.format, 'pt-state');
    assert.equal(state.yaml, undefined);
  });

  test('a missing file is E_FILE', () =>
    assert.rejects(loadWeights(join(folder, 'absent')), (error) => isSoftshardError(error, 'E_FILE')));

  test('a refused file is named', async () => {
    const path = join(folder, 'page.pt');
    await writeFile(path, '<html></html>');
    await assert.rejects(loadWeights(path), (error) => {
      return isSoftshardError(error, 'E_WEIGHTS_FORMAT') && error.detail.where === path;
    });
  });
});
