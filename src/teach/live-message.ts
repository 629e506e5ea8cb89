/**
 * What goes over the channel of a live teacher. First the teacher sends a manifest, as a cache would begin with. Then
 * each question is answered by one record of a shard for each view and kind, in the question's order: nothing is sent
 * that was not asked for.
 */
import { z } from 'zod';
import { malformed } from '../cache/corrupt.ts';
import { packPlain, unpackPlain } from '../cache/msgpack.ts';
import type { ViewKey } from '../data/plan.ts';

/** Asks for the answers of some kinds to some views. */
export interface Question {
  readonly keys: readonly ViewKey[];
  readonly kinds: readonly string[];
}

const index = z.int().min(0).max(0xffffffff);
const questionSchema = z.looseObject({
  keys: z.array(z.tuple([index, index])),
  kinds: z.array(z.string()),
});

const WHERE = 'a question to the live teacher';

/** The bytes of a question. */
export const encodeQuestion = ({ keys, kinds }: Question): Uint8Array =>
  packPlain({ keys: keys.map(({ sample, view }) => [sample, view]), kinds }, WHERE);

/** Reads a question. Throws E_CACHE_FORMAT. */
export function decodeQuestion(bytes: Uint8Array): Question {
  const parsed = questionSchema.safeParse(unpackPlain(bytes, 0, WHERE).value);
  if (!parsed.success) throw malformed(WHERE, parsed.error.message);
  return { keys: parsed.data.keys.map(([sample, view]) => ({ sample, view })), kinds: parsed.data.kinds };
}
