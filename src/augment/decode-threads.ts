/** The threads behind a view decoder: hands jobs out, follows their answers and their deaths. */
import type { Worker } from 'node:worker_threads';
import { fromErrorRecord, reasonOf, SoftshardError } from '../errors.ts';
import type { DecodeResult, DecodeRunner } from './decode-job.ts';
import type { DecodeReply, DecodeRequest } from './decode-worker.ts';
import { startWorker } from './start-worker.ts';

interface Pending {
  readonly resolve: (result: DecodeResult) => void;
  readonly reject: (error: SoftshardError) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

export interface DecodeThreads {
  readonly run: DecodeRunner;
  /** Ends all threads; jobs that are not done reject with E_ABORTED. */
  close(): Promise<void>;
}

/**
 * Starts `count` threads. A job goes to the thread with the fewest in hand. When a thread dies, its jobs reject with
 * E_INTERNAL and the others go on; without any left every job rejects. `startThread` makes the workers (a stand-in in
 * tests).
 */
export function startDecodeThreads(
  count: number,
  startThread: () => Worker = () => startWorker('decode-worker', import.meta.url),
): DecodeThreads {
  let threads: readonly Thread[] = [];
  let failure: SoftshardError | undefined;
  let nextId = 0;

  const drop = (thread: Thread, error: SoftshardError): void => {
    threads = threads.filter((other) => other !== thread);
    failure = error;
    for (const { reject } of thread.pending.values()) reject(error);
    thread.pending.clear();
  };

  const settle = (thread: Thread, reply: DecodeReply): void => {
    const pending = thread.pending.get(reply.id);
    thread.pending.delete(reply.id);
    if ('error' in reply) pending?.reject(fromErrorRecord(reply.error));
    else pending?.resolve(reply.result);
  };

  const start = (): Thread => {
    const worker = startThread();
    const thread: Thread = { worker, pending: new Map() };
    worker.on('message', (reply: DecodeReply) => settle(thread, reply));
    worker.on('error', (cause) => {
      drop(thread, died(reasonOf(cause), cause));
    });
    worker.on('exit', (code) => {
      if (threads.includes(thread)) drop(thread, died(`exit code ${code}`));
    });
    return thread;
  };
  threads = Array.from({ length: count }, start);

  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        const thread = threads.reduce<Thread | undefined>(
          (least, other) => (least === undefined || other.pending.size < least.pending.size ? other : least),
          undefined,
        );
        if (thread === undefined) {
          reject(failure ?? closed());
          return;
        }
        const request: DecodeRequest = { id: nextId++, job };
        thread.pending.set(request.id, { resolve, reject });
        thread.worker.postMessage(request);
      }),
    async close() {
      const ending = threads;
      for (const thread of ending) drop(thread, closed());
      await Promise.all(ending.map(({ worker }) => worker.terminate()));
    },
  };
}

/** What jobs reject with once the decoder is closed. */
export const closed = (): SoftshardError =>
  new SoftshardError('E_ABORTED', { message: 'The view decoder was closed before its work was done.' });

const died = (reason: string, cause?: unknown): SoftshardError =>
  new SoftshardError('E_INTERNAL', {
    message: 'A decoding thread ended while it had work to do.',
    found: reason,
    ...(cause === undefined ? {} : { cause }),
  });
