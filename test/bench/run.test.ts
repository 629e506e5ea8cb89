import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { scriptCommand } from '../../src/flow/script-path.ts';
import { repositoryRoot } from '../reference.ts';

interface Ended {
  readonly code: number | string | null | undefined;
  readonly out: string;
  readonly err: string;
}

const bench = (...argv: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const { file, nodeArguments } = scriptCommand('bench/run');
    execFile(process.execPath, [...nodeArguments, file, ...argv], (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    );
  });

const published = z.fromJSONSchema(
  JSON.parse(readFileSync(join(repositoryRoot, 'schemas', 'bench.json'), 'utf8')) as Parameters<
    typeof z.fromJSONSchema
  >[0],
);

describe('npm run bench', () => {
  test('prints one object that follows the published schema', async () => {
    const { code, out, err } = await bench('cache', 'decode', '--quick', '--json');
    assert.equal(code, 0, err);
    assert.match(out, /^\{.*\}\n$/);
    const result = JSON.parse(out) as { figures: { name: string; value: number }[]; format: string };
    assert.ok(published.safeParse(result).success);
    assert.ok(!published.safeParse({ ...result, format: 'other' }).success);
    assert.deepEqual(
      result.figures
        .map(({ name }) => name)
        .filter((name) => !name.includes('opencv') && !/^ratio/.test(name)),
      [
        'cache write fp16',
        'cache read fp16',
        'cache write fp32',
        'cache read fp32',
        'decode',
        'view, letterbox, softshard',
        'view, mosaic, softshard',
      ],
    );
    for (const { name, value } of result.figures) assert.ok(value > 0, name);
  });

  test('prints a table without --json', async () => {
    const { code, out } = await bench('cache', '--quick');
    assert.equal(code, 0);
    assert.match(out, /^\| what \| value \| unit \| \|\n\|---/);
    assert.match(out, /\| cache read fp16 \| [\d.]+ \| MB\/s \|/);
  });

  test('refuses a name that it does not know', async () => {
    const { code, out, err } = await bench('speed');
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /There is no speed; there are engine, cache, decode, train, teach, memory/);
  });
});
