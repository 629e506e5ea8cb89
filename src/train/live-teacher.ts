/** The student's end of a live teacher: its process, and its answers as if they were read from a cache. */
import { decodeManifest, type Manifest } from '../cache/manifest.ts';
import { codedAnswers, type CodedAnswer } from '../cache/part.ts';
import { joinTargets } from '../cache/cache-reader.ts';
import { decodeRecord } from '../cache/record.ts';
import type { Target } from '../cache/target.ts';
import type { ViewKey } from '../data/plan.ts';
import { reasonOf, SoftshardError } from '../errors.ts';
import type { Channel } from '../flow/channel.ts';
import type { StepEnvironmentOptions } from '../flow/step-environment.ts';
import { followStep, stepFailure, type StepExit } from '../flow/step-process.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { encodeQuestion } from '../teach/live-message.ts';
import type { AnswerReader } from './open-teacher-cache.ts';
import type { DataContext } from './run-data.ts';

export interface LiveTeacherOptions {
  /** Arguments of the step `live`. */
  readonly argv: readonly string[];
  /** Threads and instruction set of its process. */
  readonly engine: StepEnvironmentOptions;
}

export interface LiveTeacher extends AnswerReader {
  readonly manifest: Manifest;
  /** Ends the teacher's process; its last events are told. */
  close(): Promise<void>;
}

/** A question under way: the records that are still to come, and who waits for them. */
interface Pending {
  readonly count: number;
  readonly records: Uint8Array[];
  readonly resolve: (records: readonly Uint8Array[]) => void;
  readonly reject: (error: Error) => void;
}

const NAME = 'the live teacher';

const ended = (exit: StepExit, signal: AbortSignal): SoftshardError => {
  const failure = stepFailure(NAME, exit, signal);
  if (failure.code !== 'E_STEP_FAILED') return failure;
  const { message, found } = failure.detail;
  return new SoftshardError('E_STEP_FAILED', {
    message: message.replace(`The step ${NAME}`, 'The live teacher'),
    ...(found === undefined ? {} : { found }),
    remedy: 'The same command goes on from the last checkpoint, with a new teacher.',
  });
};

/** Hands each record to the oldest question that waits for one. */
class Questions {
  readonly #waiting: Pending[] = [];
  #failure: Error | undefined;

  ask(count: number): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.push({ count, records: [], resolve, reject });
      else reject(this.#failure);
    });
  }

  take(record: Uint8Array): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    first.records.push(record);
    if (first.records.length < first.count) return;
    this.#waiting.shift();
    first.resolve(first.records);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function targetOf(
  records: readonly Uint8Array[],
  answers: readonly CodedAnswer[],
  { sample, view }: ViewKey,
): Target {
  const where = `${NAME}, sample ${sample}, view ${view}`;
  const parts = records.map((record, i) => {
    const answer = answers[i];
    if (answer === undefined) throw new Error('a record for each kind');
    return decodeRecord(record, answer.stored, where);
  });
  return joinTargets(parts, where);
}

/**
 * Starts the teacher and waits until it is ready to answer. Throws what the teacher throws; E_STEP_FAILED, here and
 * while reading, when its process ends without telling. It ends with this process, however that ends.
 */
export async function startLiveTeacher(
  options: LiveTeacherOptions,
  context: DataContext,
): Promise<LiveTeacher> {
  const { signal } = context;
  const questions = new Questions();
  // The manifest comes as the answer to a question that nobody had to ask.
  const ready = questions.ask(1);
  let channel: Channel | undefined;
  let closing = false;
  const listen = async (opened: Channel): Promise<void> => {
    for await (const frame of opened.frames()) questions.take(frame);
  };
  const exit = followStep({
    ...{ script: 'live', argv: options.argv, engine: options.engine, signal },
    onChannel: (opened) => {
      channel = opened;
      void listen(opened);
    },
    onEvent: (event) => {
      if (event.type === 'warn') context.warn(event.message);
      if (event.type === 'info' || event.type === 'done') context.info(`live teacher: ${event.message}`);
    },
  });
  exit.then(
    (how) => {
      if (!closing) questions.fail(ended(how, signal));
    },
    (error: unknown) => questions.fail(error instanceof Error ? error : new Error(reasonOf(error))),
  );
  const [first = new Uint8Array()] = await ready;
  const manifest = decodeManifest(first);
  const answers = codedAnswers(manifest.extent, HEAD_CODECS);
  const answerOf = (kind: string): CodedAnswer => {
    const answer = answers.find((candidate) => candidate.kind === kind);
    if (answer === undefined) throw new Error(`checkRunDistillation lets no kind ${kind} through`);
    return answer;
  };
  return {
    manifest,
    kinds: answers.map(({ kind }) => kind),
    readMany: async (keys, kinds = answers.map(({ kind }) => kind)) => {
      const coded = kinds.map(answerOf);
      const answered = questions.ask(keys.length * kinds.length);
      // Where the channel has closed, the end of the process rejects what waits.
      channel?.send(encodeQuestion({ keys, kinds })).catch(() => undefined);
      const records = await answered;
      return keys.map((key, i) =>
        targetOf(records.slice(i * kinds.length, (i + 1) * kinds.length), coded, key),
      );
    },
    close: async () => {
      closing = true;
      channel?.close();
      questions.fail(new SoftshardError('E_ABORTED', { message: 'The live teacher was closed.' }));
      await exit;
    },
  };
}
