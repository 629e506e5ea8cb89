/** Script: `teach-parts-main.ts FOLDER DATA SIZE` prints what the parts of `teach` cost, as one JSON object. */
import { teachParts } from './teach-parts.ts';

const [folder = '', data = '', size = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await teachParts(folder, data, Number(size)))}\n`);
