/** What `teach` costs beside its teacher: its rate against the bare forward pass, and CPU time a view by part. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findNativeEngine, isFound } from '../src/engine/install/index.ts';
import { scriptCommand } from '../src/flow/script-path.ts';
import { alternate, median } from './alternate.ts';
import { engineEnvironment, openCommand, own } from './contestants.ts';
import { measureStep } from './measure-step.ts';
import { makePictures } from './pictures.ts';
import type { BenchPart, Figure } from './report.ts';
import type { BenchScale } from './scale.ts';

const BATCH = 8;

/** CPU seconds a view by part, in a process with the allocator settings of an engine's. */
const partsOf = async (folder: string, data: string, size: number): Promise<Record<string, number>> => {
  const { file, nodeArguments } = scriptCommand('bench/teach-parts-main');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeArguments, file, folder, data, String(size)],
    { env: { ...engineEnvironment() } },
  );
  return z.record(z.string(), z.number()).parse(JSON.parse(stdout));
};

/** One bare measurement: images a second of the forward pass, and CPU seconds an image. */
const bare = async (
  engine: 'native' | 'wasm',
  open: object,
  scale: BenchScale,
): Promise<{ readonly rate: number; readonly cpu: number }> => {
  const [timed] = await alternate([own(engine, 'own', open)], {
    rounds: 3,
    blockMs: scale.blockMs,
    warmUp: scale.warmUp,
  });
  return {
    rate: (BATCH * 1000) / (timed?.ms ?? Number.NaN),
    cpu: (timed?.cpuMs ?? Number.NaN) / 1000 / BATCH,
  };
};

export const teachFigures = async (folder: string, scale: BenchScale): Promise<BenchPart> => {
  const engine = isFound(findNativeEngine()) ? 'native' : 'wasm';
  const { size, teacherImages } = scale;
  const { data } = await makePictures(folder, 'pictures', teacherImages, size);
  const parts = await partsOf(folder, data, size);
  const figures: Figure[] = Object.entries(parts).map(([name, seconds]) => ({
    name: `teach, CPU of ${name}`,
    value: seconds * 1000,
    unit: 'ms',
    note: `a view of ${size} pixels, heads of 80 classes in fp16`,
  }));
  for (const cfg of scale.teachers) {
    const open = await openCommand(folder, { mode: 'forward', config: cfg, batch: BATCH, size });
    const { weights } = open;
    // The bare forward pass before and after each run of the step: a machine's mood changes.
    const bares = [await bare(engine, open, scale)];
    const ratios: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < 2; round++) {
      const step = await measureStep('teach', {
        ...{ weights, cfg, data, imgsz: size, engine, cache: join(folder, `cache-${cfg}-${round}`) },
        ...{ 'teach-batch': BATCH, 'unit-views': Math.max(1, Math.floor(teacherImages / 4)) },
      });
      bares.push(await bare(engine, open, scale));
      const rate = step.steadyRate ?? Number.NaN;
      const around = bares.slice(-2).map((one) => one.rate);
      rates.push(rate);
      ratios.push(rate / median(around));
    }
    const note = `${cfg} with random weights at ${size}, batch ${BATCH}, engine ${engine}`;
    figures.push(
      { name: `bare forward, ${cfg}`, value: median(bares.map((one) => one.rate)), unit: 'images/s', note },
      { name: `teach, ${cfg}`, value: median(rates), unit: 'images/s', note },
      { name: `teach / bare forward, ${cfg}`, value: median(ratios), unit: 'ratio', note },
      {
        name: `teach, CPU of infer, ${cfg}`,
        value: median(bares.map((one) => one.cpu)) * 1000,
        unit: 'ms',
        note,
      },
    );
  }
  return { figures };
};
