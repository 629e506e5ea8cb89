import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { repositoryRoot } from '../reference.ts';

const packageJson = z
  .object({ exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])) })
  .parse(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')));

/** Evaluates an expression in a process of its own that was started as a user's would be. */
const evaluate = (expression: string): unknown =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        '--conditions=softshard-source',
        '--import',
        'tsx',
        '--input-type=module',
        '--eval',
        `import { createRequire } from 'node:module';
         const cached = () => Object.keys(createRequire(process.cwd() + '/x.js').cache);
         console.log(JSON.stringify(await (async () => ${expression})()));`,
      ],
      { cwd: repositoryRoot, encoding: 'utf8' },
    ),
  );

describe('exports', () => {
  test('every entry has a source and types', () => {
    for (const [name, target] of Object.entries(packageJson.exports)) {
      if (typeof target === 'string') continue;
      const source = target['softshard-source'] ?? '';
      assert.ok(name.includes('*') || existsSync(join(repositoryRoot, source)), `${name}: ${source}`);
      assert.equal(target['types'], source.replace('./', './dist/').replace('.ts', '.d.ts'));
      assert.equal(target['default'], source.replace('./', './dist/').replace('.ts', '.js'));
    }
  });

  test('the main entry loads neither an engine nor the image decoder', () => {
    const loaded = evaluate(
      `{ await import('softshard'); return cached().filter((path) => /node_modules.(@tensorflow|sharp|@img)/.test(path)); }`,
    );
    assert.deepEqual(loaded, []);
  });

  test('the main entry opens an engine when asked', () => {
    const info = evaluate(
      `{ const { openEngine } = await import('softshard'); return (await openEngine('wasm')).engine.info; }`,
    );
    assert.ok(typeof info === 'object' && info !== null && 'name' in info);
    assert.equal(info.name, 'wasm');
  });

  for (const [entry, names] of [
    [
      'softshard',
      [
        'chain',
        'workOn',
        'defineStep',
        'stepMain',
        'runStep',
        'perform',
        'definePipeline',
        'openCache',
        'EVENT_FORMAT',
      ],
    ],
    [
      'softshard/loss',
      ['createHardLoss', 'createSoftOutputLoss', 'createL2OutputLoss', 'createHintLoss', 'totalLoss'],
    ],
    ['softshard/cache', ['openCache', 'openCacheForWriting', 'verifyCache', 'folderStore', 'memoryStore']],
    ['softshard/engine', ['openEngine', 'describeEngines', 'portableOps', 'withGradient']],
  ] as const)
    test(`${entry} has what its users begin with`, () => {
      const found = evaluate(`Object.keys(await import('${entry}'))`);
      assert.ok(Array.isArray(found));
      for (const name of names) assert.ok(found.includes(name), name);
    });
});
