import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSoftshardError } from '../../src/errors.ts';
import type { SoftshardEvent } from '../../src/flow/events.ts';
import { Interruption } from '../../src/flow/interrupt.ts';
import { isAlive, processIdentity } from '../../src/flow/process-identity.ts';
import { fileCommand } from '../../src/flow/script-path.ts';
import { runStep } from '../../src/flow/step-process.ts';

const script = join(import.meta.dirname, 'fixtures', 'slow-step.ts');
const parentScript = join(import.meta.dirname, 'fixtures', 'parent.ts');
const folder = mkdtempSync(join(tmpdir(), 'softshard-step-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const start = (file: string, ...argv: string[]): { child: ChildProcess; ended: Promise<Ended> } => {
  const command = fileCommand(file);
  const child = spawn(process.execPath, [...command.nodeArguments, command.file, ...argv]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { child, ended };
};

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return;
    await sleep(10);
  }
  assert.fail(`waited in vain for ${what}`);
};

const fails = (argv: string[], code: string, text: RegExp): Promise<void> =>
  assert.rejects(runStep({ script, argv }), (error) => {
    assert.ok(isSoftshardError(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  });

describe('runStep', () => {
  test('returns the result and passes every event in order', async () => {
    const events: SoftshardEvent[] = [];
    const result = await runStep({
      ...{ script, argv: ['--ticks', '2', '--threads', '1'], engine: { threads: 1, isa: 'AVX2' } },
      onEvent: (event) => events.push(event),
    });
    assert.deepEqual(
      events.map((event) => event.type),
      ['start', 'step', 'step', 'done'],
    );
    assert.ok(events.every((event) => event.step === 'slow' && /^slow-\d+$/.test(event.run)));
    assert.ok(typeof result === 'object' && result !== null);
    assert.deepEqual(
      { ...result, malloc: undefined },
      { ticks: 2, threads: '1', malloc: undefined, leaked: [] },
    );
  });

  test('the step starts over when its options ask for another environment', async () => {
    const result = await runStep({
      ...{ script, argv: ['--ticks', '0', '--threads', '3'], engine: { threads: 1, isa: 'default' } },
    });
    assert.ok(typeof result === 'object' && result !== null && 'threads' in result);
    assert.equal(result.threads, '3');
  });

  test('rethrows what the step reported, with its code', async () => {
    await fails(['--fail', 'error'], 'E_IMAGE', /A picture is torn[^]*a\.jpg/);
    await fails(['--fail', 'throw'], 'E_INTERNAL', /a defect/);
    await fails(['--ticks', 'many'], 'E_USAGE', /--ticks/);
  });

  test('names the signal that ended a step and its last words, or the exit code', async () => {
    await fails(['--fail', 'kill'], 'E_STEP_FAILED', /signal SIGKILL[^]*last words/);
    await fails(['--fail', 'exit'], 'E_STEP_FAILED', /exit code 7/);
    await assert.rejects(
      runStep({ script: join(folder, 'none.ts'), argv: [] }),
      (error) => isSoftshardError(error, 'E_STEP_FAILED') && error.message.includes('none.ts'),
    );
  });

  test('an abort waits for the checkpoint', async () => {
    const checkpoint = join(folder, 'aborted');
    const controller = new AbortController();
    await assert.rejects(
      runStep({
        ...{ script, argv: ['--ticks', '1000', '--checkpoint', checkpoint] },
        signal: controller.signal,
        onEvent: ({ type }) => {
          if (type === 'step') controller.abort(new Interruption('SIGINT'));
        },
      }),
      (error) => isSoftshardError(error, 'E_ABORTED') && error.message.includes('SIGINT'),
    );
    assert.match(readFileSync(checkpoint, 'utf8'), /tick/);
  });

  test('kill -9 of the parent alone: the child reaches its checkpoint and ends', async () => {
    const [checkpoint, pidFile] = [join(folder, 'orphan'), join(folder, 'pid')];
    const argv = ['--ticks', '100000', '--checkpoint', checkpoint, '--pid-file', pidFile];
    const { child, ended } = start(parentScript, script, ...argv);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', 'the child');
    const step = processIdentity(Number(readFileSync(pidFile, 'utf8')));
    assert.ok(isAlive(step));
    child.kill('SIGKILL');
    await ended;
    await until(() => !isAlive(step), 'the end of the child');
    assert.match(readFileSync(checkpoint, 'utf8'), /tick/);
  });
});

describe('stepMain', () => {
  for (const [signalName, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    test(`${signalName} ends it with ${code} after a checkpoint, saying how to go on`, async () => {
      const checkpoint = join(folder, signalName);
      const { child, ended } = start(script, '--ticks', '100000', '--checkpoint', checkpoint);
      await new Promise((resolve) => child.stderr?.once('data', resolve));
      child.kill(signalName);
      const { code: found, err } = await ended;
      assert.equal(found, code);
      assert.ok(existsSync(checkpoint));
      assert.match(err, new RegExp(`interrupted by ${signalName}[^]*same command again`));
    });

  test('prints exactly one JSON object, also for an error', async () => {
    const { out, code } = await start(script, '--json', '--ticks', '1').ended;
    assert.equal(code, 0);
    assert.equal(out.trim().split('\n').length, 1);
    assert.match(out, /^\{"ticks":1/);
    const failed = await start(script, '--json', '--wrong').ended;
    assert.equal(failed.code, 2);
    assert.match(failed.out, /^\{"error":\{"code":"E_USAGE"[^\n]*\}\n$/);
  });

  test('what TensorFlow writes while it is loaded is not shown', async () => {
    const { err, code } = await start(script, '--noise', '--ticks', '1').ended;
    assert.equal(code, 0);
    assert.equal(err, 'slow: counting\nslow: 1/1\n');
  });

  test('reports NDJSON on standard error, no colours, and help without a run', async () => {
    const { out, err } = await start(script, '--events', 'json', '--ticks', '1').ended;
    assert.equal(out, 'counted 1\n');
    const types = err
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as SoftshardEvent).type);
    assert.deepEqual(types, ['start', 'step', 'done']);
    const help = await start(script, '--help').ended;
    assert.match(help.out, /^softshard slow: Counts slowly\./);
    const failed = await start(script, '--fail', 'error').ended;
    assert.equal(failed.code, 1);
    assert.ok(!failed.err.includes('\u001b'));
  });
});
