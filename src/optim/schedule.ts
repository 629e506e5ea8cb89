/** Learning rate, momentum and accumulation at every iteration: YOLOv5's warm-up and decay. */
import { roundHalfEven } from '../data/round-half-even.ts';

export interface ScheduleOptions {
  readonly epochs: number;
  readonly batchesPerEpoch: number;
  readonly batchSize: number;
  /** Images an optimizer step stands for; gradients accumulate over nominalBatch / batchSize batches. */
  readonly nominalBatch: number;
  readonly lr0: number;
  /** Final learning rate as a share of lr0. */
  readonly lrf: number;
  readonly momentum: number;
  readonly warmupEpochs: number;
  readonly warmupMomentum: number;
  readonly warmupBiasLr: number;
  /** Warm-up lasts at least this many iterations. */
  readonly warmupMinimum: number;
  readonly decay: 'linear' | 'cosine';
}

export interface IterationSettings {
  readonly accumulate: number;
  readonly biasLearningRate: number;
  readonly learningRate: number;
  readonly momentum: number;
}

/** The share of lr0 that epoch `epoch` (0-based) trains at. */
export function decayFactor(
  options: Pick<ScheduleOptions, 'epochs' | 'lrf' | 'decay'>,
  epoch: number,
): number {
  const { epochs, lrf, decay } = options;
  return decay === 'cosine'
    ? ((1 - Math.cos((Math.PI * epoch) / epochs)) / 2) * (lrf - 1) + 1
    : (1 - epoch / epochs) * (1 - lrf) + lrf;
}

/** Iterations of warm-up: at least the minimum. */
export const warmupIterations = (options: ScheduleOptions): number =>
  options.warmupEpochs <= 0
    ? -1
    : Math.max(roundHalfEven(options.warmupEpochs * options.batchesPerEpoch), options.warmupMinimum);

/** Batches whose gradients one optimizer step sums up, after warm-up. */
export const accumulation = (options: Pick<ScheduleOptions, 'nominalBatch' | 'batchSize'>): number =>
  Math.max(roundHalfEven(options.nominalBatch / options.batchSize), 1);

/** Settings of iteration `iteration` (0-based since the start of training), which lies in epoch `epoch`. */
export function iterationSettings(
  options: ScheduleOptions,
  iteration: number,
  epoch: number,
): IterationSettings {
  const target = options.lr0 * decayFactor(options, epoch);
  const warmup = warmupIterations(options);
  if (iteration > warmup) {
    return {
      accumulate: accumulation(options),
      biasLearningRate: target,
      learningRate: target,
      momentum: options.momentum,
    };
  }
  const lerp = (from: number, to: number): number => from + ((to - from) * iteration) / warmup;
  return {
    accumulate: Math.max(1, roundHalfEven(lerp(1, options.nominalBatch / options.batchSize))),
    biasLearningRate: lerp(options.warmupBiasLr, target),
    learningRate: lerp(0, target),
    momentum: lerp(options.warmupMomentum, options.momentum),
  };
}

/** Effective weight decay: scaled by the images that one optimizer step really sees. */
export const effectiveDecay = (
  weightDecay: number,
  options: Pick<ScheduleOptions, 'nominalBatch' | 'batchSize'>,
): number => (weightDecay * options.batchSize * accumulation(options)) / options.nominalBatch;
