import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import { lastRun, resumedOptions } from '../../src/train/last-run.ts';
import { runFiles } from '../../src/train/run-files.ts';
import { runFile, writeRunRecord } from '../../src/train/run-record.ts';

describe('the last run', () => {
  let project: string;
  const makeRun = async (name: string, seconds: number): Promise<void> => {
    const folder = join(project, name);
    await mkdir(folder, { recursive: true });
    const options = { data: `${name}.yaml`, epochs: 3, project, name };
    await writeRunRecord(folder, { identity: {}, provenance: {}, places: { options } });
    const { checkpoint } = runFiles(folder);
    await writeFile(checkpoint, '');
    await utimes(checkpoint, seconds, seconds);
  };
  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'softshard-last-run-'));
    await makeRun('old', 1000);
    await makeRun('group/new', 3000);
    await makeRun('middle', 2000);
  });
  after(() => rm(project, { recursive: true, force: true }));

  test('is the one whose checkpoint was written last', async () => {
    assert.equal(await lastRun(project), join(project, 'group/new'));
    assert.deepEqual(await resumedOptions({ resume: true, project, epochs: 5 }), {
      ...{ data: 'group/new.yaml', name: 'group/new', resume: true, project, epochs: 5 },
    });
    const named = await resumedOptions({ resume: true, project, name: 'old' });
    assert.equal(named['data'], 'old.yaml');
  });

  test('is refused where there is none, or it does not hold its options', async () => {
    const missing = (error: unknown): boolean => isSoftshardError(error, 'E_RUN_MISSING');
    await assert.rejects(lastRun(join(project, 'nowhere')), missing);
    await assert.rejects(resumedOptions({ project, name: 'nothing' }), missing);
    await writeRunRecord(join(project, 'old'), { identity: {}, provenance: {}, places: {} });
    assert.ok(runFile(join(project, 'old')).endsWith('run.json'));
    await assert.rejects(resumedOptions({ project, name: 'old' }), missing);
  });
});
