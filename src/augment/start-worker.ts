/** Starts a worker thread from the sources or from compiled code, whichever this file is. */
import { Worker } from 'node:worker_threads';

/**
 * Starts the module `name` (without extension) beside `from` (an `import.meta.url`) as a worker. Compiled code has
 * compiled workers. In the source tree the worker first registers the TypeScript loader: on Node 20 a thread does not
 * take over the one that its process was started with.
 */
export function startWorker(name: string, from: string): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from));
  const entry = new URL(`./${name}.ts`, from).href;
  const loader = import.meta.resolve('tsx/esm/api');
  const code =
    `import { register } from ${JSON.stringify(loader)};` +
    `register(); await import(${JSON.stringify(entry)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
}
