import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { CHANNEL_FD, createChannel, openChannel, type Channel } from '../../src/flow/channel.ts';

/** Two ends of a socket. */
async function withPair(
  body: (one: Channel, other: Channel, socket: Socket) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-channel-'));
  const server = createServer().listen(join(folder, 's'));
  const client = connect(join(folder, 's'));
  const [accepted] = (await once(server, 'connection')) as [Socket];
  try {
    await body(createChannel(client), createChannel(accepted), client);
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
    await rm(folder, { recursive: true });
  }
}

describe('a channel', () => {
  test('hands over every frame whole, in order and aligned, whatever their sizes', () =>
    withPair(async (one, other) => {
      const sizes = fc.sample(fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 300_000 })), {
        seed: 1,
        numRuns: 60,
      });
      const sent = sizes.map((size, i) => new Uint8Array(size).fill(i));
      const sending = (async () => {
        for (const frame of sent) await one.send(frame);
      })();
      let count = 0;
      for await (const frame of other.frames()) {
        assert.equal(Buffer.compare(frame, sent[count] ?? new Uint8Array(1)), 0);
        assert.equal(frame.byteOffset, 0);
        if (++count === sent.length) break;
      }
      await sending;
    }));

  test('a reader that does not read holds the writer back', () =>
    withPair(async (one, other) => {
      const frame = new Uint8Array(1024 * 1024);
      let sent = 0;
      const sending = (async () => {
        for (let i = 0; i < 20; i++, sent++) await one.send(frame);
      })();
      await sleep(200);
      assert.ok(sent < 10, `${sent} frames left though nobody reads`);
      let read = 0;
      for await (const { byteLength } of other.frames()) {
        assert.equal(byteLength, frame.length);
        if (++read === 20) break;
      }
      await sending;
      assert.equal(sent, 20);
    }));

  test('ends when the other end does, in the middle of a frame too; then nothing can be sent', () =>
    withPair(async (one, other, socket) => {
      await one.send(Uint8Array.of(1, 2));
      socket.write(Uint8Array.of(200, 0, 0, 0, 7));
      setTimeout(() => one.close(), 50);
      const frames: Uint8Array[] = [];
      for await (const frame of other.frames()) frames.push(frame);
      assert.deepEqual(
        frames.map((frame) => [...frame]),
        [[1, 2]],
      );
      await assert.rejects(one.send(Uint8Array.of(1)), (error) => isSoftshardError(error, 'E_ABORTED'));
    }));

  test('there is none where no variable names one', () => {
    assert.equal(openChannel({}), undefined);
    assert.equal(openChannel({ [CHANNEL_FD]: 'x' }), undefined);
  });
});
