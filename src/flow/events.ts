/** What a step reports while it works: one discriminated union, NDJSON on the wire (`--events json`, stderr). */
import type { ErrorRecord } from '../errors.ts';

/** Version of the event stream, carried by `start`. */
export const EVENT_FORMAT = { format: 'softshard-events', major: 1, minor: 1 } as const;

interface EventBase {
  /** Identifies the step run that emits it: `NAME-PID`. */
  readonly run: string;
  /** The step: teach, train, evaluate, ... */
  readonly step: string;
}

export interface StartEvent extends EventBase {
  readonly type: 'start';
  readonly version: typeof EVENT_FORMAT;
  /** What the step will do, for a person. */
  readonly message: string;
  /** Units or epochs to come. */
  readonly total?: number;
}

/** One unit of a plan was committed, replayed or skipped. */
export interface UnitEvent extends EventBase {
  readonly type: 'unit';
  readonly unit: number;
  readonly total: number;
  readonly views: number;
  readonly state: 'written' | 'found' | 'equal';
  readonly bytes?: number;
  /** Views a second since the step began, and the share (0...1) of time spent waiting for data. */
  readonly rate?: number;
  readonly dataWait?: number;
  readonly etaS?: number;
}

/** Progress inside an epoch or an evaluation. */
export interface StepEvent extends EventBase {
  readonly type: 'step';
  readonly done: number;
  readonly total: number;
  /** What is counted: `batches of epoch 3`, `images of yolov5n.pt`. */
  readonly of?: string;
  /** Means so far by name (`train/hard/box`, ...). */
  readonly metrics?: Readonly<Record<string, number>>;
  /** What `rate` counts a second; images by default. */
  readonly rateOf?: string;
  readonly rate?: number;
  /** Share (0...1) of the time spent waiting for data. */
  readonly dataWait?: number;
  readonly etaS?: number;
  /** Memory of the process: resident bytes. */
  readonly memoryBytes?: number;
}

export interface EpochEvent extends EventBase {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly total: number;
  /** Means over the epoch by name (`train/box`, `metrics/mAP50`, ...). */
  readonly metrics: Readonly<Record<string, number>>;
  readonly rate?: number;
  readonly dataWait?: number;
  readonly etaS?: number;
}

export interface InfoEvent extends EventBase {
  readonly type: 'info';
  readonly message: string;
}

export interface WarnEvent extends EventBase {
  readonly type: 'warn';
  readonly message: string;
}

export interface DoneEvent extends EventBase {
  readonly type: 'done';
  readonly message: string;
  /** The artefact or result of the step, plain data. */
  readonly result: unknown;
}

export interface FailedEvent extends EventBase {
  readonly type: 'failed';
  readonly error: ErrorRecord;
}

export type SoftshardEvent =
  StartEvent | UnitEvent | StepEvent | EpochEvent | InfoEvent | WarnEvent | DoneEvent | FailedEvent;
