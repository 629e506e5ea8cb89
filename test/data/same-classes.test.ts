import { test } from 'node:test';
import assert from 'node:assert/strict';
import { checkSameClasses } from '../../src/data/class-names.ts';
import { isSoftshardError } from '../../src/errors.ts';

const set = (
  names: readonly string[],
  namesKnown = true,
): { names: readonly string[]; namesKnown: boolean; root: string } => ({ names, namesKnown, root: '/data' });

test('splits that name other classes are told, naming the first that differs', () => {
  checkSameClasses(set(['cat', 'dog']), set(['cat', 'dog']), 'val');
  checkSameClasses(set(['class0'], false), set(['cat', 'dog']), 'val');
  const refused = (names: readonly string[], text: RegExp): void => {
    assert.throws(
      () => checkSameClasses(set(['cat', 'dog']), set(names), 'val'),
      (error) => isSoftshardError(error, 'E_DATA_YAML') && text.test(error.message),
    );
  };
  refused(['dog', 'cat'], /split val names other classes[^]*class 0 "cat"[^]*class 0 "dog"/);
  refused(['cat'], /class 1 "dog"[^]*1 classes, class 1 missing/);
});
