/** Speed of the steps on rendered pictures: the numbers that a person who waits cares about. */
import { join } from 'node:path';
import { z } from 'zod';
import { measureStep, type StepMeasure } from './measure-step.ts';
import { makePictures } from './pictures.ts';
import { randomTeacher } from './random-teacher.ts';
import type { BenchPart, Figure } from './report.ts';
import type { BenchScale } from './scale.ts';

const speed = (name: string, { rate, dataWait }: StepMeasure, note: string): Figure[] => [
  ...(rate === undefined ? [] : [{ name, value: rate, unit: 'images/s', note }]),
  ...(dataWait === undefined ? [] : [{ name: `${name}, data wait`, value: dataWait, unit: 'share', note }]),
];

/** Mosaic views into pixel shards. */
export const decodeFigures = async (folder: string, { images, size }: BenchScale): Promise<BenchPart> => {
  const { data } = await makePictures(folder, 'pictures', images, size);
  const unitViews = Math.max(1, Math.floor(images / 8));
  const { seconds, steadyRate } = await measureStep('decode', {
    ...{
      data,
      imgsz: size,
      hyp: 'hyp.scratch-low.yaml',
      out: join(folder, 'pixels'),
      'unit-views': unitViews,
    },
  });
  const note = `mosaic views of ${size} pixels, written as shards`;
  const value = steadyRate ?? images / seconds;
  return { figures: [{ name: 'decode', value, unit: 'images/s', note }] };
};

/** A teacher's cache, a student that trains from it, and an evaluation. */
export const trainFigures = async (
  folder: string,
  { images, size, trainBatch }: BenchScale,
): Promise<BenchPart> => {
  const { data } = await makePictures(folder, 'pictures', images, size);
  const cache = join(folder, 'cache');
  const cfg = 'yolov5n.yaml';
  const weights = await randomTeacher(folder, cfg);
  const teach = await measureStep('teach', { weights, cfg, data, imgsz: size, cache });
  const common = { data, imgsz: size, epochs: 1, 'batch-size': trainBatch, project: join(folder, 'runs') };
  const train = await measureStep('train', { ...common, cache, name: 'cached', 'val-split': 'val' });
  const live = await measureStep('train', {
    ...{ ...common, name: 'live', 'val-split': 'val', 'live-teacher': weights, set: `teach.cfg=${cfg}` },
  });
  const liveRatio = (live.rate ?? Number.NaN) / (train.rate ?? Number.NaN);
  const { result } = await measureStep('evaluate', { weights, cfg, data, split: 'train', imgsz: size });
  const { speed: times } = z.looseObject({ speed: z.looseObject({ inferenceMs: z.number() }) }).parse(result);
  const student = `yolov5p at ${size}, batch ${trainBatch}, from the cache`;
  return {
    figures: [
      ...speed('teach', teach, `yolov5n at ${size}, fp16, written to disk`),
      ...speed('train', train, student),
      ...speed('train, live', live, `yolov5p at ${size}, batch ${trainBatch}, yolov5n beside it`),
      ...(Number.isFinite(liveRatio)
        ? [{ name: 'ratio train cached / live', value: liveRatio, unit: 'ratio', note: 'time of a step' }]
        : []),
      ...(train.rate === undefined
        ? []
        : [
            {
              name: 'train, an iteration',
              value: (trainBatch * 1000) / train.rate,
              unit: 'ms',
              note: student,
            },
          ]),
      {
        name: 'evaluate, forward',
        value: times.inferenceMs,
        unit: 'ms',
        note: `yolov5n at ${size}, an image, batch 8`,
      },
    ],
  };
};
