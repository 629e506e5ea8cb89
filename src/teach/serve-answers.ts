/** The teacher's end of the channel: questions in, records out, each question's in turn. */
import type { Channel } from '../flow/channel.ts';
import type { LiveAnswers } from './live-answers.ts';
import { decodeQuestion } from './live-message.ts';

/**
 * Answers until the other end closes. The next questions are worked on while records wait for the reader, who bounds
 * their number. Rejects as answering does, and with the signal's reason.
 */
export async function serveAnswers(
  channel: Channel,
  answers: Pick<LiveAnswers, 'recordsOf'>,
  signal: AbortSignal,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const stop = (error: unknown): void => {
    failure ??= { error };
    channel.close();
  };
  const onAbort = (): void => stop(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  let sent: Promise<void> = Promise.resolve();
  try {
    for await (const frame of channel.frames()) {
      const records = answers.recordsOf(decodeQuestion(frame));
      // Told by the line below, once its turn has come.
      records.catch(stop);
      sent = sent.then(async () => {
        for (const record of await records) await channel.send(record);
      });
      // A reader that has gone ends the loop; what could not be sent is nobody's loss.
      sent.catch(() => undefined);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    channel.close();
  }
  if (failure !== undefined) throw failure.error;
}
