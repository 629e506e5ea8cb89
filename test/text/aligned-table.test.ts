import { test } from 'node:test';
import assert from 'node:assert/strict';
import { alignedTable } from '../../src/text/aligned-table.ts';

test('a table has its columns in line, and no blanks at the ends of lines', () => {
  const rows = [['model', 'MB'], ['teacher', '1.80'], ['x']];
  assert.equal(alignedTable(rows), 'model       MB\nteacher   1.80\nx');
  assert.equal(alignedTable([]), '');
});
