import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSoftshardError } from '../../src/errors.ts';
import { findBindingSource } from '../../src/engine/install/binding-source.ts';
import { enginesFolder, softshardHome } from '../../src/engine/install/home.ts';
import {
  engineName,
  findNativeEngine,
  isFound,
  listEngines,
} from '../../src/engine/install/native-engine.ts';
import { removeEngine } from '../../src/engine/install/remove-engine.ts';
import { wheelFor } from '../../src/engine/install/wheels.ts';

const home = mkdtempSync(join(tmpdir(), 'softshard-home-'));
after(() => rmSync(home, { recursive: true, force: true }));

const wheel = wheelFor(`${process.platform}-${process.arch}`);
const source = findBindingSource();

/** An engine folder with empty files. */
const fakeEngine = (name: string): void => {
  const folder = join(enginesFolder(home), name);
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'tfjs_binding.node'), 'binding');
  writeFileSync(
    join(folder, 'engine.json'),
    JSON.stringify({
      ...{
        format: 'softshard-engine',
        major: 1,
        minor: 9,
        later: true,
        tensorflow: '2.21.0',
        tfjs: '4.22.0',
      },
      ...{ device: 'cpu', wheel: 'w', wheelSha256: '0', bindingSha256: '0', compiler: 'g++' },
      files: { 'tfjs_binding.node': 7 },
    }),
  );
};

describe('findNativeEngine', { skip: wheel && source ? false : 'no native engine for this platform' }, () => {
  if (wheel === undefined || source === undefined) return;
  const name = engineName(wheel, source);

  test('says why there is none, finds one, and notices damage', () => {
    const before = findNativeEngine(home);
    assert.ok(!isFound(before) && before.missing.includes(home));
    assert.deepEqual(listEngines(home), []);
    fakeEngine(name);
    const found = findNativeEngine(home);
    assert.ok(isFound(found));
    assert.equal(found.bindingPath, join(enginesFolder(home), name, 'tfjs_binding.node'));
    writeFileSync(join(found.folder, 'tfjs_binding.node'), 'cut');
    const damaged = findNativeEngine(home);
    assert.ok(!isFound(damaged) && damaged.missing.includes('damaged'));
    writeFileSync(join(found.folder, 'engine.json'), '{"format":"softshard-engine","major":2}');
    assert.ok(!isFound(findNativeEngine(home)));
  });

  test('the name holds all that the bits depend on', () => {
    assert.match(name, /^native-cpu-tf2\.21\.0-tfjs4\.22\.0-napi8-[0-9a-f]{8}-[0-9a-f]{8}$/);
  });

  test('lists and removes', () => {
    fakeEngine(name);
    fakeEngine('native-cpu-old');
    mkdirSync(join(enginesFolder(home), '.tmp-7'));
    assert.deepEqual(
      listEngines(home).map((engine) => engine.name),
      ['native-cpu-old', name],
    );
    removeEngine('native-cpu-old', home);
    assert.deepEqual(readdirSync(enginesFolder(home)), ['.tmp-7', name]);
    for (const wrong of ['native-cpu-old', '..', '', '.tmp-7'])
      assert.throws(
        () => removeEngine(wrong, home),
        (error) => isSoftshardError(error, 'E_USAGE'),
      );
  });
});

test('softshardHome follows SOFTSHARD_HOME, XDG and the platform', () => {
  assert.equal(softshardHome({ SOFTSHARD_HOME: '/x/y' }, 'linux', '/home/u'), '/x/y');
  assert.equal(
    softshardHome({ XDG_CACHE_HOME: '/c', SOFTSHARD_HOME: '' }, 'linux', '/home/u'),
    '/c/softshard',
  );
  assert.equal(softshardHome({ XDG_CACHE_HOME: 'c' }, 'linux', '/home/u'), '/home/u/.cache/softshard');
  assert.equal(softshardHome({}, 'darwin', '/Users/u'), '/Users/u/Library/Caches/softshard');
});
