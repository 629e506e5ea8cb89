/**
 * The child's end of the pipe to the process that started it. Events go up; when the pipe closes, the parent has
 * ended (however it did: the kernel closes it after kill -9, too) and the child has nobody to work for.
 */
import { Socket } from 'node:net';
import type { SoftshardEvent } from './events.ts';

/** Variable that names the inherited file descriptor. */
export const PARENT_FD = 'SOFTSHARD_PARENT_FD';

export interface ParentPipe {
  /** Sends one event as a line of JSON; never throws. */
  readonly send: (event: SoftshardEvent) => void;
  /** Resolves when everything sent has left this process, or the parent is gone. */
  readonly flush: () => Promise<void>;
  /** Aborts when the parent's end closes. */
  readonly gone: AbortSignal;
}

/**
 * Opens the pipe that `environment` names, or undefined where there is none. The variable is deleted, so that
 * processes started from here do not take the pipe for theirs. The pipe does not keep the process alive.
 */
export const openParentPipe = (
  environment: Record<string, string | undefined> = process.env,
): ParentPipe | undefined => {
  const fd = Number(environment[PARENT_FD] ?? Number.NaN);
  if (!Number.isSafeInteger(fd)) return undefined;
  // Deleted, not set to undefined: process.env would make a text of that.
  Reflect.deleteProperty(environment, PARENT_FD);
  const gone = new AbortController();
  const socket = new Socket({ fd, readable: true, writable: true });
  const close = (): void => gone.abort();
  socket.on('end', close).on('close', close).on('error', close);
  socket.resume();
  socket.unref();
  let last: Promise<void> = Promise.resolve();
  return {
    gone: gone.signal,
    send: (event) => {
      if (gone.signal.aborted || !socket.writable) return;
      last = new Promise((resolve) => {
        socket.write(`${JSON.stringify(event)}\n`, () => resolve());
      });
    },
    flush: async () => {
      // Without this the process could end while it waits: the socket alone does not hold it.
      socket.ref();
      await Promise.race([
        last,
        new Promise<void>((resolve) => {
          if (gone.signal.aborted) resolve();
          gone.signal.addEventListener('abort', () => resolve());
        }),
      ]);
      socket.unref();
    },
  };
};
