/** Pascal VOC's xml: the objects of one image. */
import { SaxesParser } from 'saxes';
import { reasonOf } from '../errors.ts';
import type { LabelProblem } from './label-row.ts';

/** An object as its file has it. */
export interface VocObject {
  /** 1-based line on which it begins. */
  readonly line: number;
  readonly name: string;
  /** Pixels, counted from 1. */
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
  readonly difficult: boolean;
}

export interface VocFile {
  /** Pixels; undefined where the file does not say, or says 0. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly objects: readonly VocObject[];
}

/** The texts of an element by the path below it, such as `bndbox/xmin`; where a path repeats, the first. */
interface Texts {
  readonly line: number;
  readonly texts: Map<string, string>;
}

interface Outline {
  readonly root: string;
  readonly top: Texts;
  readonly objects: readonly Texts[];
}

/** Collects the texts of the file and of each `object`. Throws on what is not well-formed. */
function outlineOf(text: string): Outline {
  const parser = new SaxesParser();
  const open: string[] = [];
  const top: Texts = { line: 1, texts: new Map() };
  const objects: Texts[] = [];
  let root = '';
  let current = '';
  parser.on('opentag', ({ name }) => {
    open.push(name);
    current = '';
    if (open.length === 1) root = name;
    if (open.length === 2 && name === 'object') objects.push({ line: parser.line, texts: new Map() });
  });
  const take = (part: string): void => {
    current += part;
  };
  parser.on('text', take);
  parser.on('cdata', take);
  parser.on('closetag', () => {
    const inObject = open[1] === 'object';
    const path = open.slice(inObject ? 2 : 1).join('/');
    const { texts } = (inObject ? objects.at(-1) : undefined) ?? top;
    if (path !== '' && !texts.has(path)) texts.set(path, current.trim());
    current = '';
    open.pop();
  });
  parser.write(text).close();
  return { root, top, objects };
}

const problem = (
  message: string,
  expected: string,
  found: string,
  line: number | undefined,
): LabelProblem => ({
  kind: 'malformed',
  message,
  expected,
  found,
  ...(line === undefined ? {} : { line }),
});

const numberOf = (text: string | undefined): number =>
  text === undefined || text === '' ? NaN : Number(text);

const SIDES = ['xmin', 'ymin', 'xmax', 'ymax'] as const;

function readObject({ line, texts }: Texts): VocObject | LabelProblem {
  const name = texts.get('name') ?? '';
  if (name === '') return problem('An object without a name.', '<name>', 'none', line);
  const [xmin = NaN, ymin = NaN, xmax = NaN, ymax = NaN] = SIDES.map((side) =>
    numberOf(texts.get(`bndbox/${side}`)),
  );
  if (![xmin, ymin, xmax, ymax].every(Number.isFinite)) {
    const found = SIDES.map((side) => `${side} ${texts.get(`bndbox/${side}`) ?? 'missing'}`).join(', ');
    const expected = '<bndbox> with the numbers xmin, ymin, xmax and ymax';
    return problem('A box that cannot be read.', expected, found, line);
  }
  return { line, name, xmin, ymin, xmax, ymax, difficult: texts.get('difficult') === '1' };
}

/** Reads the text of an xml file. Never throws: the first fault comes back as `problem`, with its line. */
export function readVocXml(text: string): VocFile | { readonly problem: LabelProblem } {
  let outline: Outline;
  try {
    outline = outlineOf(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // "LINE:COLUMN: what is wrong"
    const [, line, found] = /^(\d+):\d+: ([^]*)$/.exec(reasonOf(error)) ?? [];
    const at = line === undefined ? undefined : Number(line);
    return { problem: problem('The file is no valid XML.', 'XML', found ?? reasonOf(error), at) };
  }
  const { root, top, objects } = outline;
  if (root !== 'annotation') {
    return {
      problem: problem('The file is no annotation of Pascal VOC.', '<annotation>', `<${root}>`, undefined),
    };
  }
  const read: VocObject[] = [];
  for (const texts of objects) {
    const object = readObject(texts);
    if ('message' in object) return { problem: object };
    read.push(object);
  }
  const [width, height] = [numberOf(top.texts.get('size/width')), numberOf(top.texts.get('size/height'))];
  return { size: width > 0 && height > 0 ? { width, height } : undefined, objects: read };
}
