/**
 * Remakes the teacher of the demo, fixtures/demo/teacher.safetensors: trained from random weights on 3,000 labelled
 * rendered pictures of another seed than the demo's, stored in half precision (1.8 MB).
 *
 *     softshard run shapes-teacher --set out=fixtures/demo/teacher.safetensors
 *
 * 1,316 batches of 32; eight minutes of CPU time with native TensorFlow; mAP50 .972, mAP50-95 .846 on 300 pictures of
 * its own seed that it was not trained on.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import {
  dataset,
  definePipeline,
  evaluate,
  perform,
  renderShapes,
  shippedFile,
  storeHalfWeights,
  train,
  weights,
} from 'softshard';

export const command = definePipeline({
  name: 'shapes-teacher',
  summary: 'Trains the teacher of the demo from random weights.',
  options: z.strictObject({
    folder: z.string().default('runs/shapes-teacher').describe('where data and run go'),
    out: z.string().default('runs/shapes-teacher/teacher.safetensors').describe('the weights'),
    pictures: z.int().min(1).default(3000).describe('labelled pictures'),
    epochs: z.int().min(1).default(14).describe('passes over them'),
    seed: z.int().min(0).default(1000).describe('of the pictures; other than that of the demo'),
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  }),
  run: async ({ folder, out, pictures, epochs, seed, engine }, context) => {
    const root = resolve(folder);
    const rendered = await renderShapes({
      ...{ folder: join(root, 'data'), labelled: pictures, unlabelled: 0, test: 300 },
      ...{ side: 96, seed, signal: context.signal },
    });
    const run = await perform(
      train({
        ...{ cfg: shippedFile('pipelines/shapes-teacher.yaml'), data: dataset(rendered.data), imgsz: 96 },
        ...{
          epochs,
          batchSize: 32,
          nominalBatch: 32,
          optimizer: 'adam',
          cosLr: true,
          hyp: 'no-augmentation',
        },
        ...{ set: { hyp: { lr0: 0.003, warmup_epochs: 1 } }, val: false, project: root, name: 'run', engine },
      }),
      context,
    );
    await mkdir(dirname(resolve(out)), { recursive: true });
    await storeHalfWeights(run.last, resolve(out));
    return perform(
      evaluate({ model: weights(out), data: dataset(rendered.data, 'test'), imgsz: 96, engine }),
      context,
    );
  },
  describe: ({ weights: file, mAP50, mAP50_95 }) =>
    `${file}: mAP50 ${mAP50.toFixed(3)}, mAP50-95 ${mAP50_95.toFixed(3)} on 300 held-out pictures`,
});
