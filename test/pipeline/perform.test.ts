import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { EventBody, StepContext } from '../../src/flow/step-command.ts';
import type { SoftshardEvent } from '../../src/flow/events.ts';
import { perform } from '../../src/pipeline/perform.ts';

const script = join(import.meta.dirname, '..', 'flow', 'fixtures', 'slow-step.ts');

describe('perform', () => {
  test('reports a step under its label, its command line first, and keeps its end to itself', async () => {
    const events: (SoftshardEvent | EventBody)[] = [];
    const context: StepContext = {
      ...{ signal: new AbortController().signal, run: 'run-1', step: 'run' },
      ...{ info: () => undefined, warn: () => undefined },
      emit: (event) => events.push(event),
    };
    const argv = ['--ticks', '2'];
    const result = await perform(
      {
        name: 'slow',
        label: 'slow twice',
        script,
        argv,
        decode: (value) => (value as { ticks: number }).ticks,
      },
      context,
    );
    assert.equal(result, 2);
    assert.deepEqual(
      events.map((event) => event.type),
      ['info', 'start', 'step', 'step'],
    );
    assert.ok(events.every((event) => 'step' in event && event.step === 'slow twice'));
    const [told, started] = events;
    assert.ok(told?.type === 'info' && told.message === 'softshard slow --ticks 2');
    assert.ok(started?.type === 'start' && !started.message.includes('slow:'));
  });
});
