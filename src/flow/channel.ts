/**
 * A channel between a process and a step that it started: frames of bytes, both ways, over an inherited socket. When
 * one end's process ends, however it does, the other end's frames end.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SoftshardError } from '../errors.ts';

/** Variable that names the inherited file descriptor. */
export const CHANNEL_FD = 'SOFTSHARD_CHANNEL_FD';

const HEAD_BYTES = 4; // uint32 length, little-endian

export interface Channel {
  /** Resolves when the socket takes more: a slow reader holds a fast writer back. Rejects with E_ABORTED once closed. */
  send(frame: Uint8Array): Promise<void>;
  /** The frames that arrive, each in memory of its own; ends when the other end has closed. To be read once. */
  frames(): AsyncIterable<Uint8Array>;
  /** Closes both directions; what was sent and has not left is lost. */
  close(): void;
}

const gone = (cause?: unknown): SoftshardError =>
  new SoftshardError('E_ABORTED', {
    message: 'The other end of a channel has closed.',
    ...(cause === undefined ? {} : { cause }),
  });

async function* readFrames(socket: Duplex): AsyncGenerator<Uint8Array, void, undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  let headFilled = 0;
  let body: Buffer | undefined;
  let filled = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        if (body === undefined) {
          const taken = chunk.copy(head, headFilled, at);
          at += taken;
          headFilled += taken;
          if (headFilled < HEAD_BYTES) break;
          // Not of a pool: a frame's first byte is aligned for any typed array.
          body = Buffer.allocUnsafeSlow(head.readUInt32LE());
          headFilled = filled = 0;
        }
        const taken = chunk.copy(body, filled, at);
        at += taken;
        filled += taken;
        if (filled === body.length) {
          yield body;
          body = undefined;
        }
      }
    }
  } catch {
    // The socket broke: what it stood for is told by the process at its end.
  }
}

/** The channel over one end of a socket. */
export const createChannel = (socket: Duplex): Channel => {
  let closed = false;
  socket.on('error', () => undefined).on('close', () => (closed = true));
  return {
    send: (frame) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(gone());
          return;
        }
        const head = Buffer.alloc(HEAD_BYTES);
        head.writeUInt32LE(frame.byteLength);
        socket.cork();
        socket.write(head);
        socket.write(frame, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(gone(error));
        });
        socket.uncork();
      }),
    frames: () => readFrames(socket),
    close: () => socket.destroy(),
  };
};

/**
 * Opens the channel that `environment` names; undefined where there is none. The variable is deleted, so that
 * processes started from here do not take the channel for theirs.
 */
export const openChannel = (
  environment: Record<string, string | undefined> = process.env,
): Channel | undefined => {
  const fd = Number(environment[CHANNEL_FD] ?? Number.NaN);
  if (!Number.isSafeInteger(fd)) return undefined;
  Reflect.deleteProperty(environment, CHANNEL_FD);
  return createChannel(new Socket({ fd, readable: true, writable: true }));
};
