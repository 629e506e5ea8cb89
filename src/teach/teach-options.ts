/** The options of `teach`, and those of its answers, which `plan` has too. */
import { z } from 'zod';
import { imageCacheOptions } from '../augment/image-cache-options.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { ANSWER_CODECS, HINT_CODECS, isAnswerCodec, isHintCodec } from './answer-codec.ts';
import { viewPlanOptions } from './prepare-plan.ts';

/** Options by which the teacher's answers are chosen and stored. */
export const answerOptions = {
  answers: z
    .enum(['heads', 'detections'])
    .default('heads')
    .describe(
      'what of the outputs is cached: the raw heads, or the detections after non-maximum suppression, which are a few ' +
        'KB a view at most and enough for the output loss pseudo alone',
    ),
  confThres: z.number().min(0).max(1).default(0.1).describe('of detections: lowest score'),
  iouThres: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('of detections: overlap above which the weaker box of a class goes'),
  maxDet: z.int().min(1).default(300).describe('of detections: most a view'),
  hints: z
    .array(z.union([z.int().min(0), z.string()]))
    .default([])
    .describe('layers whose features are cached, such as 4,6,9; of an ONNX file or graph model also tensors'),
  heads: z
    .array(z.string())
    .default([])
    .describe('tensors of the raw logits in an ONNX file or graph model; found by default'),
  codec: z
    .string()
    .refine(isAnswerCodec, `one of ${ANSWER_CODECS.join(', ')}`)
    .default('fp16')
    .describe(
      'how answers are stored: fp16, fp32 (lossless), int8, sparse (heads only), with NAME:key=value,...',
    ),
  hintCodec: z
    .string()
    .refine(isHintCodec, `one of ${HINT_CODECS.join(', ')}`)
    .optional()
    .describe('how features are stored; that of --codec by default, or fp16 where that is for heads only'),
} as const;

const bound = z.number().positive().max(1).optional();

/** Options of the error of the codec sparse. */
export const errorOptions = {
  maxLossError: bound.describe(
    'largest relative error of the losses l2 and soft that the codec sparse may cause',
  ),
  maxGradientError: bound.describe('the same of their gradients by the heads'),
  maxTermError: bound.describe("the same of each term's gradient; 3 times that of the whole by default"),
  errorViews: z
    .int()
    .min(0)
    .default(64)
    .describe('views over which the error of the codec sparse is measured before the first unit; 0 for none'),
  errorStudent: z
    .string()
    .optional()
    .describe('student of the error: model yaml or weights; the initial one of the teacher by default'),
} as const;

export const teachOptionsSchema = z.strictObject({
  weights: z
    .string()
    .describe('the teacher: .pt, safetensors, a checkpoint, an ONNX file, or a TF.js graph model'),
  averageWith: z
    .array(z.string())
    .default([])
    .describe('weights of further teachers of equal heads: the mean of all raw logits is cached'),
  cfg: z.string().optional().describe('model yaml, for weights that do not hold their description'),
  ...viewPlanOptions,
  cache: z.string().describe('folder of the cache'),
  ...answerOptions,
  ...errorOptions,
  units: z
    .string()
    .optional()
    .describe('only these units, A-B, 0-based and inclusive; committed ones are recomputed and compared'),
  teachBatch: z.int().min(1).default(8).describe('views a forward pass of the teacher'),
  from: z.string().optional().describe('pixel shards of softshard decode to read instead of decoding'),
  workers: z.int().min(0).default(1).describe('decoding threads; 0 decodes in the main thread'),
  ...imageCacheOptions,
  threads: engineOptions.threads,
  engine: engineOptions.engine.describe(
    'engine; the best there is by default, and that of the cache for one that was begun',
  ),
  credits: z
    .int()
    .min(1)
    .default(1024)
    .describe('memory for views and answers in flight')
    .meta({ unit: 'MB' }),
});

export type TeachStepOptions = z.output<typeof teachOptionsSchema>;
