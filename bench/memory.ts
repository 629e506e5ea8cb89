/** Whether memory depends on the size of the data: the same step over a set and over one ten times as large. */
import { join } from 'node:path';
import { measureStep } from './measure-step.ts';
import { makePictures } from './pictures.ts';
import { randomTeacher } from './random-teacher.ts';
import type { BenchPart, Figure } from './report.ts';
import type { BenchScale } from './scale.ts';

const TEACHER = 'yolov5p.yaml';

/** Peak memory of `teach` and of `train` at 1x and 10x the data. Both sets need more than the credits. */
export const memoryFigures = async (
  folder: string,
  { size, trainBatch, memoryImages, memoryCredits }: BenchScale,
): Promise<BenchPart> => {
  const weights = await randomTeacher(folder, TEACHER);
  const peaks: { readonly teach: number | undefined; readonly train: number | undefined }[] = [];
  const counts = [memoryImages, 10 * memoryImages];
  for (const count of counts) {
    const { data } = await makePictures(folder, `pictures-${count}`, count, size);
    const common = { data, imgsz: size, credits: memoryCredits };
    const cache = join(folder, `cache-${count}`);
    const teach = await measureStep('teach', { ...common, weights, cfg: TEACHER, cache });
    const train = await measureStep('train', {
      ...{ data, imgsz: size, credits: 4 * memoryCredits, cache, epochs: 1, 'batch-size': trainBatch },
      ...{ project: join(folder, 'runs'), name: `student-${count}` },
    });
    peaks.push({ teach: teach.peakMb, train: train.peakMb });
  }
  const figures = (['teach', 'train'] as const).flatMap((step): Figure[] => {
    const [one, ten] = peaks.map((peak) => peak[step]);
    if (one === undefined || ten === undefined) return [];
    const note =
      step === 'teach'
        ? `${TEACHER} at ${size}, ${memoryCredits} MB of credits`
        : `yolov5p at ${size}, batch ${trainBatch}`;
    return [
      { name: `${step}, peak memory, ${counts[0]} images`, value: one, unit: 'MB', note },
      { name: `${step}, peak memory, ${counts[1]} images`, value: ten, unit: 'MB', note },
      { name: `${step}, memory at 10x data`, value: ten / one, unit: 'ratio', note: 'flat: 0.95 to 1.05' },
    ];
  });
  return figures.length > 0
    ? { figures }
    : { figures, skipped: ['peak memory: this system does not tell it'] };
};
