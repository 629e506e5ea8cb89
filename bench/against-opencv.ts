/** Making views against the same in Python with OpenCV and NumPy (`view_peer.py`), one thread each. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { LETTERBOX_ONLY, type Augmentation } from '../src/augment/augmentation.ts';
import { drawView } from '../src/augment/draw-view.ts';
import { augmentationOf, readHyp } from '../src/augment/hyp.ts';
import { encodeView } from '../src/augment/view-codec.ts';
import { scriptCommand } from '../src/flow/script-path.ts';
import { alternate, type AlternateOptions, type Contestant } from './alternate.ts';
import { makePhotographs, type Photograph } from './photographs.ts';
import type { BenchPart, Figure, Ratios } from './report.ts';
import { startWorker } from './worker.ts';

export interface ViewBenchOptions extends AlternateOptions {
  /** Side of the views, pixels. */
  readonly size: number;
  /** The interpreter that has OpenCV. */
  readonly opencv: string;
}

const PHOTOGRAPHS = 16;
/** Mean pixel values that the two may be apart: JPEG decoders differ by as little. */
const AGREEMENT = 0.5;

/** Undefined where the interpreter has OpenCV; else why not, in one line. */
export const probeOpenCv = (python: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(python, ['-c', 'import cv2, numpy'], { timeout: 60_000 }, (error, _, stderr) => {
      if (error === null) resolve(undefined);
      else {
        const said = stderr.trim().split('\n').pop() || error.message;
        resolve(`${python} cannot import cv2 (${said}); SOFTSHARD_BENCH_OPENCV names another interpreter`);
      }
    });
  });

/** One thread, whatever the environment says. */
const ALONE = { ...process.env, UV_THREADPOOL_SIZE: '1', OMP_NUM_THREADS: '1' };

export async function againstOpenCv(folder: string, options: ViewBenchOptions): Promise<BenchPart> {
  const { size } = options;
  const photographs = await makePhotographs(join(folder, 'photographs'), PHOTOGRAPHS);
  const missing = await probeOpenCv(options.opencv);
  const works: [string, 'letterbox' | 'mosaic', Augmentation][] = [
    ['decode and letterbox', 'letterbox', LETTERBOX_ONLY],
    ['decode and augment a mosaic', 'mosaic', augmentationOf(await readHyp('scratch-low'))],
  ];
  const figures: Figure[] = [];
  const ratios: Ratios = {};
  for (const [what, name, augmentation] of works) {
    const bySample = <T>(of: (photograph: Photograph) => T): Readonly<Record<string, T>> =>
      Object.fromEntries(photographs.map((photograph, sample) => [sample, of(photograph)]));
    const open = {
      records: photographs.map((_, sample) =>
        encodeView(drawView({ sample, view: 0 }, photographs, size, augmentation, 0)),
      ),
      files: bySample(({ file }) => file),
      sizes: bySample(({ width, height }) => [width, height]),
    };
    const { file, nodeArguments } = scriptCommand('bench/view-worker');
    const own: Contestant = {
      name: 'softshard',
      start: () => startWorker(process.execPath, [...nodeArguments, file], ALONE),
      open,
    };
    const peer: Contestant = {
      name: 'opencv',
      start: () => startWorker(options.opencv, [join(import.meta.dirname, 'view_peer.py')], ALONE),
      open,
    };
    const timed = await alternate(missing === undefined ? [own, peer] : [own], options);
    // Processor time, since each works in one thread at a time: what else the machine does counts less.
    const note = `${what}, ${size} pixels, from JPEG, processor time`;
    figures.push(
      ...timed.map(({ name: who, cpuMs }) => ({
        ...{ name: `view, ${name}, ${who}`, value: cpuMs, unit: 'ms', note },
      })),
    );
    const [ours, theirs] = timed;
    if (ours === undefined || theirs === undefined) continue;
    ours.values.forEach((value, i) => {
      const other = theirs.values[i];
      if (other === undefined || Math.abs(value - other) <= AGREEMENT) return;
      throw new Error(`a view's mean is ${value} here and ${other} with OpenCV: not the same work`);
    });
    const speed = theirs.cpuMs / ours.cpuMs;
    ratios[name === 'letterbox' ? 'letterboxSpeed' : 'mosaicSpeed'] = speed;
    figures.push({ name: `ratio view, ${name}`, value: speed, unit: 'ratio', note: 'speed against OpenCV' });
  }
  return {
    figures,
    ratios,
    skipped: missing === undefined ? [] : [`the comparison with OpenCV: ${missing}`],
  };
}
