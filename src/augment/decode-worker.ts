/** Entry of a decoding thread: takes jobs, answers each with its result or its error, in order. */
import { parentPort } from 'node:worker_threads';
import { toErrorRecord, type ErrorRecord } from '../errors.ts';
import { createDecodeRunner, type DecodeJob, type DecodeResult } from './decode-job.ts';

export interface DecodeRequest {
  readonly id: number;
  readonly job: DecodeJob;
}

export type DecodeReply =
  | { readonly id: number; readonly result: DecodeResult }
  | { readonly id: number; readonly error: ErrorRecord };

const run = createDecodeRunner();

parentPort?.on('message', ({ id, job }: DecodeRequest) => {
  const reply = (message: DecodeReply): void => parentPort?.postMessage(message);
  run(job).then(
    (result) => {
      reply({ id, result });
    },
    (error: unknown) => {
      reply({ id, error: toErrorRecord(error) });
    },
  );
});
