/** Data yamls: roots, splits, the retry, names, and every malformed thing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkClasses, highestClass, readClassNames } from '../../src/data/class-names.ts';
import { readDatasetYaml } from '../../src/data/dataset-yaml.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { temporaryFolder } from './temporary-folder.ts';

const yamlError =
  (where: RegExp, found?: RegExp) =>
  (error: unknown): boolean =>
    isSoftshardError(error, 'E_DATA_YAML') &&
    where.test(error.detail.where ?? '') &&
    (found === undefined || found.test(error.detail.found ?? ''));

describe('readDatasetYaml', () => {
  test('resolves path against its own folder, and the splits against path', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['set/images/a/1.jpg', 'set/images/b/1.jpg', 'set/list.txt', 'set/raw/1.jpg']) {
      folder.write(name, '');
    }
    const file = folder.write(
      'yamls/set.yaml',
      'path: ../set\ntrain: [images/a, list.txt]\nval: images/b\ntest:\nunlabelled: raw\n' +
        'names:\n  0: cat\n  1: 7\ndownload: rm -rf /\ncolour: blue\n',
    );
    const description = await readDatasetYaml(file);
    const root = join(folder.path, 'set');
    assert.equal(description.root, root);
    assert.deepEqual(description.names, ['cat', '7']);
    assert.deepEqual(
      description.sources.map((s) => [s.split, s.path, s.labelled]),
      [
        ['train', join(root, 'images/a'), true],
        ['train', join(root, 'list.txt'), true],
        ['val', join(root, 'images/b'), true],
        ['unlabelled', join(root, 'raw'), false],
      ],
    );
    assert.equal(description.warnings.length, 1);
    assert.match(description.warnings[0] ?? '', /colour/);
  });

  test('retries ../ without it, and says both places when neither exists', async (t) => {
    const folder = temporaryFolder(t);
    folder.write('images/1.jpg', '');
    const file = folder.write('a.yaml', 'train: ../images\nval: ../nowhere\nnc: 2\n');
    const description = await readDatasetYaml(file, ['train']);
    assert.equal(description.root, folder.path);
    assert.equal(description.sources[0]?.path, join(folder.path, 'images'));
    assert.deepEqual(description.names, ['class0', 'class1']);
    await assert.rejects(
      readDatasetYaml(file, ['val']),
      yamlError(/a\.yaml, key val$/, /nowhere nor at .*nowhere/),
    );
  });

  const faults: readonly [name: string, text: string, where: RegExp, found: RegExp][] = [
    ['broken yaml', 'train: images\nval: "open\nnames: [a]\n', /\.yaml:\d+$/, /quote/],
    ['an empty file', '', /\.yaml$/, /empty/],
    ['a list', '- a\n', /\.yaml$/, /list/],
    ['a text', 'hello', /\.yaml$/, /string/],
    ['no split', 'names: [a]\n', /\.yaml$/, /none/],
    ['a split that is a number', 'train: 3\nnames: [a]\n', /key train/, /3/],
    ['a root that is a list', 'path: [a]\ntrain: .\nnames: [a]\n', /key path/, /\["a"\]/],
    ['no names', 'train: .\n', /\.yaml$/, /neither/],
    ['names and nc that disagree', 'train: .\nnames: [a, b]\nnc: 3\n', /\.yaml$/, /nc: 3/],
    ['a gap in the names', 'train: .\nnames: {0: a, 2: b}\n', /key names/, /no key 1/],
    ['a name that is a map', 'train: .\nnames: [a, {b: c}]\n', /key names/, /class 1/],
    ['no name at all', 'train: .\nnames: []\n', /key names/, /none/],
    ['names that are a number', 'train: .\nnames: 4\n', /key names/, /4/],
    ['a negative nc', 'train: .\nnc: -1\n', /key nc/, /-1/],
  ];
  for (const [name, text, where, found] of faults) {
    test(`${name} is E_DATA_YAML`, async (t) => {
      const file = temporaryFolder(t).write('bad.yaml', text);
      await assert.rejects(readDatasetYaml(file), yamlError(where, found));
    });
  }

  test('a missing file is E_DATA_YAML with its cause', async () => {
    await assert.rejects(readDatasetYaml('/nowhere/a.yaml'), yamlError(/nowhere/, /ENOENT/));
  });
});

describe('class names', () => {
  test('keys of a map may be in any order', () => {
    assert.deepEqual(readClassNames({ 1: 'b', 0: 'a' }, undefined, 'x'), ['a', 'b']);
    assert.deepEqual(readClassNames(['a', true], 2, 'x'), ['a', 'true']);
  });

  test('a class beyond the count is E_LABEL naming the image', () => {
    const label = (classIndex: number) => ({ classIndex, cx: 0.5, cy: 0.5, w: 0.1, h: 0.1 });
    const samples = [
      { path: 'a.jpg', labels: [label(0), label(2)] },
      { path: 'b.jpg', labels: undefined },
      { path: 'c.jpg', labels: [label(3)] },
    ];
    assert.equal(highestClass(samples), 3);
    assert.equal(highestClass([]), -1);
    checkClasses(samples, 4);
    assert.throws(
      () => checkClasses(samples, 3),
      (error: unknown) => isSoftshardError(error, 'E_LABEL') && /c\.jpg/.test(error.message),
    );
  });
});
