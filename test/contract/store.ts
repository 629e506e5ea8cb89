/** What every store must do. Each implementation runs it with a way to make an empty store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/cache/store.ts';
import { isSoftshardError } from '../../src/errors.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    isSoftshardError(error) && error.code === expected;

const BAD_NAMES = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  './a',
  '.hidden',
  'a/.b',
  'a\\b',
  'C:\\a',
  'a b',
  'a\0b',
  'a\nb',
  'é',
  'a'.repeat(201),
  `${'a/'.repeat(500)}b`,
];

/** Registers the suite's tests under `name`. `empty` makes a store that holds nothing. */
export function storeConformance(name: string, empty: () => Promise<Store>): void {
  test(`${name}: an object comes back whole, and its first bytes stay`, async () => {
    const store = await empty();
    assert.equal(await store.putIfAbsent('a/b.json', text('first')), 'created');
    assert.equal(await store.putIfAbsent('a/b.json', text('second')), 'exists');
    assert.deepEqual(Buffer.from((await store.get('a/b.json')) ?? []).toString(), 'first');
    assert.equal(await store.size('a/b.json'), 5);
  });

  test(`${name}: what does not exist is undefined, or a ranged read's error`, async () => {
    const store = await empty();
    assert.equal(await store.get('none'), undefined);
    assert.equal(await store.get('none/below'), undefined);
    assert.equal(await store.size('none'), undefined);
    await store.delete('none');
    await assert.rejects(store.getRange('none', 0, 1), code('E_CACHE_CORRUPT'));
  });

  test(`${name}: ranges are exact, and beyond the end is an error without an allocation`, async () => {
    const store = await empty();
    await store.putIfAbsent('x', text('0123456789'));
    assert.equal(Buffer.from(await store.getRange('x', 3, 4)).toString(), '3456');
    assert.equal((await store.getRange('x', 10, 0)).byteLength, 0);
    assert.equal((await store.getRange('x', 3, 4)).byteOffset, 0);
    for (const [offset, length] of [
      [9, 2],
      [11, 0],
      [0, 2 ** 50],
      [-1, 2],
      [0, -1],
      [Number.NaN, 1],
    ] as const) {
      await assert.rejects(store.getRange('x', offset, length), code('E_CACHE_CORRUPT'));
    }
  });

  test(`${name}: lists below a prefix, in byte order`, async () => {
    const store = await empty();
    for (const object of ['b', 'a/2', 'a/10', 'a/B', 'ab/1']) await store.putIfAbsent(object, text(object));
    assert.deepEqual(await store.list(''), ['a/10', 'a/2', 'a/B', 'ab/1', 'b']);
    assert.deepEqual(await store.list('a/'), ['a/10', 'a/2', 'a/B']);
    assert.deepEqual(await store.list('none/'), []);
    await store.delete('a/2');
    assert.deepEqual(await store.list('a/'), ['a/10', 'a/B']);
  });

  test(`${name}: a pending object is seen by nobody before it is committed`, async () => {
    const store = await empty();
    const pending = await store.openWrite('big/one');
    const chunk = text('abc');
    await pending.write(chunk);
    chunk.fill(0);
    await pending.write(text('def'));
    assert.equal(await store.get('big/one'), undefined);
    assert.deepEqual(await store.list(''), []);
    assert.equal(await pending.commit(), 'created');
    await pending.abort();
    assert.equal(Buffer.from((await store.get('big/one')) ?? []).toString(), 'abcdef');

    const late = await store.openWrite('big/one');
    await late.write(text('other'));
    assert.equal(await late.commit(), 'exists');
    const dropped = await store.openWrite('big/two');
    await dropped.write(text('never'));
    await dropped.abort();
    await dropped.abort();
    const leftOver = await store.openWrite('big/three');
    await store.sweep();
    await leftOver.abort();
    assert.deepEqual(await store.list(''), ['big/one']);
    assert.equal(Buffer.from((await store.get('big/one')) ?? []).toString(), 'abcdef');
  });

  test(`${name}: of many writers of one name exactly one creates it`, async () => {
    const store = await empty();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.putIfAbsent('one', new Uint8Array(1000).fill(i))),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
    const bytes = (await store.get('one')) ?? new Uint8Array();
    assert.equal(bytes.byteLength, 1000);
    assert.equal(new Set(bytes).size, 1);
  });

  test(`${name}: refuses names that leave the store or hide`, async () => {
    const store = await empty();
    for (const bad of BAD_NAMES) {
      await assert.rejects(async () => store.get(bad), code('E_CACHE_FORMAT'), JSON.stringify(bad));
      await assert.rejects(async () => store.putIfAbsent(bad, text('x')), code('E_CACHE_FORMAT'));
      await assert.rejects(async () => store.openWrite(bad), code('E_CACHE_FORMAT'));
      await assert.rejects(async () => store.getRange(bad, 0, 1), code('E_CACHE_FORMAT'));
      await assert.rejects(async () => store.size(bad), code('E_CACHE_FORMAT'));
      await assert.rejects(async () => store.delete(bad), code('E_CACHE_FORMAT'));
    }
    for (const bad of ['/', '../', 'a', '..', 'a/../']) {
      await assert.rejects(async () => store.list(bad), code('E_CACHE_FORMAT'));
    }
    assert.deepEqual(await store.list(''), []);
  });
}
