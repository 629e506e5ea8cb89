import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonSchemas } from '../../schemas/json-schemas.ts';
import { repositoryRoot } from '../reference.ts';

test('the published JSON Schemas are current (npm run schemas writes them)', async () => {
  const folder = join(repositoryRoot, 'schemas');
  const current = await jsonSchemas();
  const published = readdirSync(folder).filter((file) => file.endsWith('.json'));
  assert.deepEqual(
    published.sort(),
    Object.keys(current)
      .map((name) => `${name}.json`)
      .sort(),
  );
  for (const [name, text] of Object.entries(current))
    assert.equal(readFileSync(join(folder, `${name}.json`), 'utf8'), text, name);
});
