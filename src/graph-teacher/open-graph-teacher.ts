/** A teacher that is an ONNX file or a TensorFlow.js graph model: proven by one run, before anything is cached. */
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';
import { drawKey, integerBelow } from '../random/keyed.ts';
import { featureKind, headBlob } from '../teach/answers.ts';
import type { BatchAnswer, RunningTeacher } from '../teach/running-teacher.ts';
import { lastConvolutions } from './find-heads.ts';
import type { AskedTensor, GraphFile, GraphTensor } from './graph-file.ts';
import { headOfGraph, type RawLevel } from './head-of-graph.ts';
import { checkTensor, hintTensors, type HintTensor } from './hint-tensors.ts';

export interface GraphTeacherOptions {
  readonly file: GraphFile;
  /** Side of the images, pixels. */
  readonly side: number;
  /** Tensors of the raw logits, one a level; found where none are named. */
  readonly heads: readonly string[];
  readonly hints: readonly (number | string)[];
  /** Head of the model description, where there is one. */
  readonly described: HeadSpec | undefined;
  /** Class names where the file has none. */
  readonly defaultNames: readonly string[] | undefined;
  /** Names the file in errors. */
  readonly where: string;
}

/** A feature and what it looks like. */
export interface GraphFeature extends HintTensor {
  readonly channels: number;
  /** Image pixels per pixel of the feature, one axis. */
  readonly stride: number;
}

export interface GraphTeacher extends RunningTeacher {
  readonly head: HeadSpec;
  /** Tensors of the raw logits, by ascending stride. */
  readonly heads: readonly string[];
  readonly features: readonly GraphFeature[];
}

/** One image of noise [side, side, 3]: every cell of every level says something of its own. */
function probeImage(side: number): Uint8Array {
  const key = drawKey(0, 'probe-image');
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => integerBelow(key, i, 256));
}

/** Throws E_USAGE when the graph fixes another size. */
function checkSide(file: GraphFile, side: number, where: string): void {
  if (file.side === undefined || file.side === side) return;
  throw new SoftshardError('E_USAGE', {
    message: 'The graph of the teacher was exported for another image size.',
    where: '--imgsz',
    expected: `${file.side}, as ${where} has it`,
    found: String(side),
    remedy: `Use --imgsz ${file.side}, or export the teacher for ${side} or for any size.`,
  });
}

/** The order of axes that puts channels last. */
function channelsLast(file: GraphFile, { shape }: GraphTensor): readonly number[] | undefined {
  if (file.channels === 'last') return undefined;
  if (shape.length === 4) return [0, 2, 3, 1];
  return shape.length === 5 ? [0, 2, 3, 1, 4] : undefined;
}

const firstImage = ({ shape, values }: GraphTensor): GraphTensor => {
  const [batch = 1, ...rest] = shape;
  return { shape: rest, values: values.slice(0, values.length / batch) };
};

function featureOf(hint: HintTensor, { shape }: GraphTensor, side: number): GraphFeature {
  const [, ny, nx, channels] = shape;
  const stride = side / (ny ?? 0);
  if (shape.length === 4 && ny === nx && channels !== undefined && Number.isInteger(stride)) {
    return { ...hint, channels, stride };
  }
  throw new SoftshardError('E_LOSS', {
    message: 'A hint names a tensor that is no feature map of the image.',
    where: `--hints ${hint.tensor}`,
    expected: `a square grid that divides ${side}, with channels`,
    found: `[${shape.join(', ')}]`,
  });
}

const levelOf = (tensor: string, { shape, values }: GraphTensor): RawLevel => {
  const [ny = 0, nx = 0, ...rest] = shape;
  return { tensor, ny, nx, channels: rest.reduce((a, b) => a * b, 1), values };
};

/** The answers to images in as many runs as the graph's batch demands. */
async function inRuns(
  images: readonly Uint8Array[],
  batch: number,
  run: (images: readonly Uint8Array[]) => Promise<readonly GraphTensor[]>,
): Promise<readonly GraphTensor[]> {
  if (images.length === batch) return run(images);
  const parts: (readonly GraphTensor[])[] = [];
  for (let at = 0; at < images.length; at += batch) {
    const some = images.slice(at, at + batch);
    const last = some.at(-1);
    while (last !== undefined && some.length < batch) some.push(last);
    parts.push(await run(some));
  }
  return (parts[0] ?? []).map(({ shape: [, ...rest] }, i) => {
    const length = rest.reduce((a, b) => a * b, 1);
    const values = new Float32Array(images.length * length);
    parts.forEach((part, k) => {
      const from = k * batch * length;
      values.set(part[i]?.values.subarray(0, values.length - from) ?? [], from);
    });
    return { shape: [images.length, ...rest], values };
  });
}

/**
 * Runs one image, finds the heads and what they mean, checks them against the decoded output, and opens what teaches.
 * Throws E_USAGE for an image size that the graph does not take, E_WEIGHTS_FORMAT when the heads are not found or not
 * YOLOv5's, E_LOSS for hints that are not there, E_ENGINE when the runtime fails.
 */
export async function openGraphTeacher(options: GraphTeacherOptions): Promise<GraphTeacher> {
  const { file, side, where } = options;
  const { description } = file;
  checkSide(file, side, where);
  for (const tensor of options.heads) checkTensor(description, tensor, '--heads');
  const heads = options.heads.length > 0 ? [...options.heads] : lastConvolutions(description);
  const hints = hintTensors(description, options.hints);
  const decodedName = description.outputs.find((name) => !heads.includes(name));
  const tensors = [...heads, ...hints.map(({ tensor }) => tensor)];
  const asked = [...tensors, ...(decodedName === undefined ? [] : [decodedName])];
  const probe = Array.from({ length: file.batch ?? 1 }, () => probeImage(side));

  const once = async (wanted: readonly AskedTensor[]): Promise<readonly GraphTensor[]> => {
    const session = await file.open(wanted);
    try {
      return await session.run(probe, side, wanted.length);
    } finally {
      await session.close();
    }
  };
  const shapes = await once(asked.map((tensor) => ({ tensor })));
  const wanted = tensors.map((tensor, i): AskedTensor => {
    const found = shapes[i];
    return { tensor, axes: found && channelsLast(file, found) };
  });
  const found = file.channels === 'last' ? shapes : await once(wanted);
  const levels = heads.flatMap((tensor, i) => {
    const values = found[i];
    return values === undefined ? [] : [{ place: i, ...levelOf(tensor, firstImage(values)) }];
  });
  levels.sort((a, b) => b.ny - a.ny);
  const decoded = decodedName === undefined ? undefined : shapes.at(-1);
  const head = headOfGraph({
    ...{ levels, side, where, described: options.described },
    decoded: decoded?.shape.length === 3 ? firstImage(decoded) : undefined,
    names: file.names ?? options.defaultNames,
  });
  const features = hints.map((hint, i) =>
    featureOf(hint, found[heads.length + i] ?? { shape: [], values: new Float32Array() }, side),
  );
  const session = await file.open(wanted);
  let open = true;
  const names = new Map<number, { name: string; shape: readonly number[] }>([
    ...levels.map(({ place, ny, nx }, level) => {
      return [place, { name: headBlob(level), shape: [ny, nx, head.na, head.no] }] as const;
    }),
    ...features.map(({ layer, stride, channels }, i) => {
      const shape = [side / stride, side / stride, channels];
      return [heads.length + i, { name: featureKind(layer), shape }] as const;
    }),
  ]);
  return {
    ...{ head, heads: levels.map(({ tensor }) => tensor), features },
    answer: async (images): Promise<readonly BatchAnswer[]> => {
      const results = await inRuns(images, file.batch ?? images.length, (some) =>
        session.run(some, side, wanted.length),
      );
      return [...names]
        .sort(([a], [b]) => a - b)
        .map(([place, { name, shape }]) => {
          return { name, shape, values: results[place]?.values ?? new Float32Array() };
        });
    },
    dispose: async () => {
      if (open) await session.close();
      open = false;
    },
  };
}
