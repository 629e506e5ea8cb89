/**
 * Script: loads the engine named by its first argument in a process of its own, tests it, measures its speed for the
 * milliseconds of its second, and prints one JSON object.
 */
import { performance } from 'node:perf_hooks';
import { reasonOf } from '../errors.ts';
import { ENGINE_NAMES, openEngine } from './select.ts';
import { gradientError, probeSpeed, type SelfTest } from './self-test.ts';

try {
  const name = ENGINE_NAMES.find((candidate) => candidate === process.argv[2]);
  if (name === undefined) throw new Error(`expected one of ${ENGINE_NAMES.join(', ')}`);
  const { engine } = await openEngine(name);
  const result: SelfTest = {
    gradientError: gradientError(engine.ops),
    // The plain JavaScript engine is a thousand times slower: a smaller probe.
    gflops: probeSpeed(
      engine.ops,
      () => performance.now(),
      Number(process.argv[3] ?? 500),
      name === 'cpu' ? { side: 12, channels: 8 } : undefined,
    ),
    device: engine.info.device,
    threads: engine.info.threads,
    ...(engine.info.tensorflow === undefined ? {} : { tensorflow: engine.info.tensorflow }),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
}
