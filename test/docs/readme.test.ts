import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { chooseCommand, loadCommand } from '../../src/cli/commands.ts';
import { optionSpecs } from '../../src/cli/option-spec.ts';
import { parseArgv } from '../../src/cli/parse-argv.ts';
import { outputOptions } from '../../src/cli/step-output.ts';
import { repositoryRoot } from '../reference.ts';

const text = (file: string): string => readFileSync(join(repositoryRoot, file), 'utf8');
const readme = text('README.md');

/** The lines of the README's shell blocks, without comments. */
const lines = [...readme.matchAll(/```sh\n([^]*?)```/g)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Words of a line; quotes are those of a shell. */
const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(text('package.json')));

describe('README', () => {
  for (const line of lines.filter((candidate) => candidate.startsWith('softshard ')))
    test(line, async () => {
      const { entry, argv } = chooseCommand(words(line).slice(1));
      const command = await loadCommand(entry);
      const specs = [...optionSpecs(command.options), ...optionSpecs(outputOptions)];
      const { values } = parseArgv(specs, argv);
      const outputs = new Set(['json', 'events']);
      const own = Object.fromEntries(Object.entries(values).filter(([key]) => !outputs.has(key)));
      const result = command.options.safeParse(own);
      assert.ok(result.success, result.error?.message);
    });

  test('its npm scripts exist', () => {
    const named = [...readme.matchAll(/npm (?:run )?(?:-s )?([a-z:]+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !['ci', 'run'].includes(name));
    assert.ok(named.includes('demo') && named.includes('test'));
    for (const name of named) assert.ok(name in scripts, name);
  });

  test('its links and those of the documents lead somewhere', () => {
    for (const [file, folder] of [
      ['README.md', '.'],
      ['docs/engines.md', 'docs'],
      ['docs/methods.md', 'docs'],
      ['docs/architecture.md', 'docs'],
    ] as const)
      for (const [, link = ''] of text(file).matchAll(/\]\(([^):#]+)\)/g))
        assert.ok(existsSync(join(repositoryRoot, folder, link)), `${file}: ${link}`);
  });

  test('every dependency has its reason in docs/dependencies.md', () => {
    const packages = z
      .object({
        dependencies: z.record(z.string(), z.string()),
        devDependencies: z.record(z.string(), z.string()),
        optionalDependencies: z.record(z.string(), z.string()),
      })
      .parse(JSON.parse(text('package.json')));
    const reasons = text('docs/dependencies.md');
    for (const name of Object.values(packages).flatMap((group) => Object.keys(group)))
      assert.ok(reasons.includes(`\`${name}\``), name);
  });
});
