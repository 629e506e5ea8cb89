import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { argvOf, commandLine, shellQuote } from '../../src/cli/argv-of.ts';
import { helpText } from '../../src/cli/option-help.ts';
import { optionSpecs, type OptionMeta } from '../../src/cli/option-spec.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { isSoftshardError } from '../../src/errors.ts';

const schema = z.strictObject({
  pipeline: z
    .string()
    .optional()
    .describe('pipeline file')
    .meta({ placeholder: 'PIPELINE', positional: true } satisfies OptionMeta),
  weights: z
    .string()
    .describe('weights of the student')
    .meta({ placeholder: 'FILE', aliases: ['w'] } satisfies OptionMeta),
  tWeights: z.string().optional().describe('weights of the teacher'),
  imgsz: z.int().min(32).multipleOf(32).default(640).describe('image size').meta({ unit: 'pixels' }),
  batchSize: z.int().min(1).default(8).describe('images a batch'),
  confThres: z.number().min(0).lt(1).default(0.001).describe('lowest confidence'),
  rect: z.boolean().default(false).describe('rectangular batches'),
  fold: z.boolean().default(true).describe('fold batch norm'),
  hints: z.array(z.int()).default([]).describe('layers that give hints'),
  images: z.array(z.string()).default([]).describe('more images').meta({ repeat: true, placeholder: 'FILE' }),
  engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine'),
  workers: z
    .union([z.literal('auto'), z.int().min(0)])
    .default('auto')
    .describe('decode workers'),
  set: z.record(z.string(), z.unknown()).default({}).describe('further settings'),
});

const parse = (...argv: string[]): z.output<typeof schema> => {
  const parsed = parseOptions(schema, argv);
  assert.ok(!parsed.help);
  return parsed.options;
};
const message = (...argv: string[]): string => {
  try {
    parseOptions(schema, argv);
  } catch (error) {
    assert.ok(isSoftshardError(error, 'E_USAGE'));
    return error.message;
  }
  return assert.fail('nothing was thrown');
};

describe('parseOptions', () => {
  test('reads every kind, in kebab, snake and short form', () => {
    const options = parse(
      ...[
        '-w',
        's.pt',
        '--t_weights',
        't.pt',
        '--batch_size=4',
        '--conf-thres',
        '.25',
        '--rect',
        '--no-fold',
      ],
      ...[
        '--hints',
        '4,6',
        '--hints',
        '9',
        '--images',
        'a,b.jpg',
        '--images',
        '[c]*.jpg',
        '--engine',
        'wasm',
      ],
      ...[
        '--set',
        'distill.output.weight=0.5',
        '--set=distill.kind=soft',
        '--set',
        'list=[1,2]',
        'shapes.ts',
      ],
    );
    assert.deepEqual(options, {
      pipeline: 'shapes.ts',
      weights: 's.pt',
      tWeights: 't.pt',
      imgsz: 640,
      batchSize: 4,
      confThres: 0.25,
      rect: true,
      fold: false,
      hints: [4, 6, 9],
      images: ['a,b.jpg', '[c]*.jpg'],
      engine: 'wasm',
      workers: 'auto',
      set: { distill: { output: { weight: 0.5 }, kind: 'soft' }, list: [1, 2] },
    });
  });

  test('takes empty values, negative numbers, unions and switches with a value; the last one counts', () => {
    assert.equal(parse('--weights', '').weights, '');
    assert.equal(parse('--weights=--odd').weights, '--odd');
    assert.deepEqual(parse('--weights', 'a', '--hints', '-1').hints, [-1]);
    assert.equal(parse('--weights', 'a', '--workers', '3').workers, 3);
    assert.equal(parse('--weights', 'a', '--rect=false').rect, false);
    assert.equal(parse('--weights', 'a', '--batch-size', '1', '--batch-size', '2').batchSize, 2);
    assert.equal(parse('--weights', 'a', '--', '--odd.ts').pipeline, '--odd.ts');
  });

  test('names the nearest option', () => {
    assert.match(message('--batchsize', '3'), /found: {4}--batchsize[^]*Did you mean --batch-size/);
    assert.match(message('--wieghts', 'a'), /Did you mean --weights/);
    assert.doesNotMatch(message('--zzzzzzzz'), /Did you mean/);
  });

  test('says what is missing or wrong, where, and what is expected', () => {
    assert.match(message(), /The option --weights is missing/);
    assert.match(message('--weights'), /An option has no value[^]*--weights/);
    assert.match(message('--weights', '--rect'), /has no value/);
    assert.match(message('--weights', 'a', '--imgsz', '33'), /--imgsz[^]*>= 32, a multiple of 32[^]*33/);
    assert.match(message('--weights', 'a', '--imgsz', 'big'), /needs a number[^]*"big"/);
    assert.match(message('--weights', 'a', '--engine', 'gpu'), /one of native, wasm, cpu[^]*"gpu"/);
    assert.match(message('--weights', 'a', '--rect=maybe'), /true or false/);
    assert.match(message('--weights', 'a', 'one', 'two'), /argument too many[^]*two/);
    assert.match(message('--weights', 'a', '--hints', '1.5'), /--hints/);
  });

  test('refuses settings without a value, in conflict, or that reach a prototype', () => {
    for (const setting of ['a', '=1', 'a..b=1', '__proto__.x=1', 'a.constructor.y=2'])
      assert.match(message('--weights', 'w', '--set', setting), /setting/);
    assert.match(message('--weights', 'w', '--set', 'a=1', '--set', 'a.b=2'), /already a value/);
    assert.match(message('--weights', 'w', '--set', 'a.b=1', '--set', 'a=2'), /already has settings/);
    assert.equal(Reflect.get({}, 'x'), undefined);
  });

  test('help needs nothing else', () => assert.deepEqual(parseOptions(schema, ['--help']), { help: true }));
});

describe('helpText', () => {
  test('lists units, ranges, defaults, choices and what is required', () => {
    const text = helpText({ command: 'softshard x', summary: 'Does x.', specs: optionSpecs(schema) });
    assert.match(text, /Usage: softshard x \[PIPELINE\] -w, --weights FILE \[options\]/);
    assert.match(text, /--imgsz N +image size \[pixels\] \(integer >= 32, a multiple of 32; default: 640\)/);
    assert.match(text, /--conf-thres N +lowest confidence \(number >= 0 and < 1; default: 0\.001\)/);
    assert.match(text, /--engine native\|wasm\|cpu\n? +engine/);
    assert.match(text, /--no-fold +fold batch norm \(default: on\)/);
    assert.match(text, /--workers VALUE +decode workers \(auto or integer >= 0; default: auto\)/);
    assert.ok(text.split('\n').every((line) => line.length <= 100));
  });
});

describe('argvOf', () => {
  test('is what a person would type', () => {
    const argv = argvOf(schema, {
      weights: "it's.pt",
      imgsz: 640,
      fold: false,
      hints: [1, 2],
      pipeline: 'a b.ts',
    });
    assert.equal(
      commandLine('run', argv),
      `softshard run --weights 'it'\\''s.pt' --no-fold --hints 1,2 'a b.ts'`,
    );
    assert.equal(shellQuote(''), "''");
  });

  test('property: parseOptions reads it back', () => {
    const text = fc.string({ maxLength: 6 });
    const key = fc.stringMatching(/^[a-z]{1,4}$/);
    const arbitrary = fc.record({
      pipeline: fc.option(text, { nil: undefined }),
      weights: text,
      tWeights: fc.option(text, { nil: undefined }),
      imgsz: fc.integer({ min: 1, max: 40 }).map((n) => n * 32),
      confThres: fc.double({ min: 0, max: 0.99, noNaN: true }).map(Math.abs),
      rect: fc.boolean(),
      fold: fc.boolean(),
      hints: fc.array(fc.integer(), { maxLength: 4 }),
      images: fc.array(text, { maxLength: 3 }),
      workers: fc.oneof(fc.constant('auto' as const), fc.nat()),
      set: fc.dictionary(
        key,
        fc.oneof(
          text,
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.dictionary(key, text, { maxKeys: 2, noNullPrototype: true }),
        ),
        { maxKeys: 3, noNullPrototype: true },
      ),
    });
    fc.assert(
      fc.property(arbitrary, (values) => {
        const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
        const parsed = parseOptions(schema, argvOf(schema, values as z.input<typeof schema>));
        assert.ok(!parsed.help);
        assert.deepEqual(parsed.options, schema.parse(given));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
