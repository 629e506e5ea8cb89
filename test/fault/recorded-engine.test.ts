/** What was begun on one engine goes on with it when nobody names another. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';
import { runCommand } from './killed-command.ts';

describe('a cache and a run that were begun on wasm', () => {
  let folder: string;
  let tiny: TinyData;
  let teach: string[];
  let train: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-engine-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 0, val: 0 });
    const weights = await makeTinyTeacher(folder);
    teach = [
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--unit-views', '3'],
      ...['--cache', join(folder, 'cache'), '--workers', '0'],
    ];
    train = [
      ...['train', '--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--batch-size', '3'],
      ...['--project', join(folder, 'runs'), '--name', 'run', '--workers', '0'],
    ];
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('the cache is finished on it; another one is refused, both being named', async () => {
    const begun = await runCommand([...teach, '--engine', 'wasm', '--units', '0']);
    assert.equal(begun.code, 0, begun.output);
    const other = await runCommand([...teach, '--engine', 'cpu']);
    assert.equal(other.code, 1, other.output);
    assert.match(other.output, /E_CACHE_PROVENANCE[^]*cpu[^]*wasm/);
    const ended = await runCommand(teach);
    assert.equal(ended.code, 0, ended.output);
    assert.match(ended.output, /engine wasm on cpu \(as it was begun\)/);
    assert.match(ended.output, /complete and sealed/);
  });

  test('the run goes on with it; the variable that names another is refused', async () => {
    const begun = await runCommand([...train, '--engine', 'wasm', '--epochs', '1']);
    assert.equal(begun.code, 0, begun.output);
    const other = await runCommand([...train, '--epochs', '2'], undefined, { SOFTSHARD_ENGINE: 'cpu' });
    assert.equal(other.code, 1, other.output);
    assert.match(other.output, /E_CACHE_PROVENANCE[^]*engine\.name[^]*wasm[^]*cpu/);
    const ended = await runCommand([...train, '--epochs', '2']);
    assert.equal(ended.code, 0, ended.output);
    assert.match(ended.output, /engine wasm on cpu \(as it was begun\)/);
  });
});
