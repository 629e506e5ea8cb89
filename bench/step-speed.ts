/** Speed and memory of the steps, on rendered pictures: the numbers that a person who waits cares about. */
import { join } from 'node:path';
import { z } from 'zod';
import { renderShapes } from '../src/shapes/render-shapes.ts';
import { measureStep, type StepMeasure } from './measure-step.ts';
import type { Figure } from './report.ts';

const IMAGE_SIZE = 320;

const render = async (folder: string, images: number): Promise<string> =>
  (
    await renderShapes({
      folder: join(folder, `shapes-${images}`),
      labelled: images,
      unlabelled: 0,
      test: 4,
      side: IMAGE_SIZE,
      seed: 0,
    })
  ).data;

const speed = (name: string, { rate, dataWait }: StepMeasure, note: string): Figure[] => [
  ...(rate === undefined ? [] : [{ name, value: rate, unit: 'images/s', note }]),
  ...(dataWait === undefined ? [] : [{ name: `${name}, data wait`, value: dataWait, unit: 'share', note }]),
];

export const decodeFigures = async (folder: string): Promise<readonly Figure[]> => {
  const data = await render(folder, 400);
  const options = { data, imgsz: IMAGE_SIZE, hyp: 'hyp.scratch-low.yaml', out: join(folder, 'pixels') };
  const { seconds } = await measureStep('decode', options);
  const note = 'mosaic views of 320 pixels, written as shards; the start of the process counts';
  return [{ name: 'decode', value: 400 / seconds, unit: 'images/s', note }];
};

/** A teacher with yolov5n's graph: one batch of training makes its weights. */
const makeTeacher = async (folder: string, data: string): Promise<string> => {
  const { result } = await measureStep('train', {
    ...{ data, imgsz: IMAGE_SIZE, cfg: 'yolov5n.yaml', epochs: 1, 'steps-per-epoch': 1, 'batch-size': 4 },
    ...{ project: join(folder, 'runs'), name: 'teacher', 'val-every': 1000000 },
  });
  return z.looseObject({ last: z.string() }).parse(result).last;
};

export const trainFigures = async (folder: string): Promise<readonly Figure[]> => {
  const data = await render(folder, 400);
  const cache = join(folder, 'cache');
  const weights = await makeTeacher(folder, data);
  const teach = await measureStep('teach', { weights, data, imgsz: IMAGE_SIZE, cache });
  const common = { data, imgsz: IMAGE_SIZE, epochs: 1, 'batch-size': 16, project: join(folder, 'runs') };
  const train = await measureStep('train', { ...common, cache, name: 'cached' });
  const evaluation = await measureStep('evaluate', { weights, data, split: 'train', imgsz: IMAGE_SIZE });
  const { speed: times } = z
    .looseObject({ speed: z.looseObject({ inferenceMs: z.number() }) })
    .parse(evaluation.result);
  return [
    ...speed('teach', teach, 'yolov5n at 320'),
    ...speed('train', train, 'yolov5p at 320, batch 16, from the cache'),
    ...(train.rate === undefined
      ? []
      : [{ name: 'training step', value: 16000 / train.rate, unit: 'ms', note: 'yolov5p, batch 16' }]),
    { name: 'forward', value: times.inferenceMs, unit: 'ms', note: 'yolov5n, an image, batch 8' },
  ];
};

export const memoryFigures = async (folder: string): Promise<readonly Figure[]> => {
  const small = await render(folder, 200);
  const large = await render(folder, 2000);
  const weights = await makeTeacher(folder, small);
  const options = { weights, imgsz: IMAGE_SIZE, credits: 256 };
  const one = await measureStep('teach', { ...options, data: small, cache: join(folder, 'cache-1x') });
  const ten = await measureStep('teach', { ...options, data: large, cache: join(folder, 'cache-10x') });
  if (one.peakMb === undefined || ten.peakMb === undefined) return [];
  return [
    { name: 'teach, peak memory, 200 images', value: one.peakMb, unit: 'MB', note: 'resident' },
    { name: 'teach, peak memory, 2000 images', value: ten.peakMb, unit: 'MB', note: 'resident' },
    {
      name: 'teach, memory at 10x data',
      value: ten.peakMb / one.peakMb,
      unit: 'ratio',
      note: 'flat: 0.95 to 1.05',
    },
  ];
};
