import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import { checkedMethod } from '../../src/method/checked-method.ts';
import { methodNeeds } from '../../src/method/method.ts';
import { CONTROLS, METHODS, methodSettings, readMethod } from '../../src/method/registry.ts';
import { repositoryRoot } from '../reference.ts';

describe('methods', () => {
  test('the list and the files are the same', async () => {
    const files = await readdir(join(repositoryRoot, 'src/method/configs'));
    assert.deepEqual(files.map((file) => file.replace('.yaml', '')).sort(), [...METHODS].sort());
  });

  for (const name of METHODS) {
    test(`${name} can be used`, async () => {
      const method = await readMethod(name);
      assert.equal(method.name, name);
      assert.ok(method.stages.length > 0);
      const isControl = CONTROLS.some((control) => control === name);
      assert.equal(methodNeeds([method]).teacher, !isControl);
    });
  }

  test('a cache for several holds the layers of all, and heads where one reads them', async () => {
    const read = (names: readonly string[]) => Promise.all(names.map(readMethod));
    assert.deepEqual(methodNeeds(await read(['labels', 'cwd'])), {
      ...{ teacher: true, heads: false, hints: [17, 20, 23] },
    });
    const all = methodNeeds(await read(['features', 'soft', 'pkd']));
    assert.deepEqual(all, { teacher: true, heads: true, hints: [4, 6, 9, 17, 20, 23] });
  });

  test('a method of one training is an answer to --distill, one of several is not', async () => {
    assert.deepEqual(await methodSettings('soft'), { output: { kind: 'soft' } });
    await assert.rejects(methodSettings('fitnets'), (error) => isSoftshardError(error, 'E_LOSS'));
  });

  test('a yaml of your own is a method; a mistyped name is told the nearest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'softshard-method-'));
    const file = join(folder, 'mine.yaml');
    await writeFile(file, 'summary: Mine.\ndistill: { output: { kind: l2, weight: 3 } }\n');
    const mine = await readMethod(file);
    await rm(folder, { recursive: true });
    assert.equal(mine.name, 'mine');
    assert.equal(mine.stages[0]?.distill.output.weight, 3);
    await assert.rejects(readMethod('sofd'), /Did you mean soft\?/);
  });

  test('shares that do not add up, unknown terms, and both forms at once are refused', () => {
    const refused = (values: unknown, reason: RegExp): void => {
      assert.throws(() => checkedMethod('m', values, 'm.yaml'), reason);
    };
    const stage = { share: 0.4, distill: {} };
    refused({ summary: 's', stages: [stage, stage] }, /do not add up to 1/);
    refused({ summary: 's', distill: {}, stages: [{ share: 1, distill: {} }] }, /either distill or stages/);
    refused({ summary: 's', distill: { outputs: {} } }, /m\.yaml\.distill/);
  });
});
