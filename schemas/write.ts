/** Writes the JSON Schemas of everything that Softshard reads and writes: `npm run schemas`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemas } from './json-schemas.ts';

for (const [name, text] of Object.entries(await jsonSchemas()))
  writeFileSync(join(import.meta.dirname, `${name}.json`), text);
