import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SoftshardError, isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { PICKLE_LIMITS } from '../../src/weights/pickle-machine.ts';
import { NumpyArray, PickleRecord, PickleTuple, type PickleValue } from '../../src/weights/pickle-value.ts';
import { unpickle } from '../../src/weights/pickle.ts';
import { plainValue } from '../../src/weights/plain-value.ts';
import { ORDERED_DICT, PROTO2, assemble, int, text } from './pickle-assembly.ts';
import { PICKLE_SAMPLES } from './pickle-samples.ts';

const load = (bytes: Uint8Array): PickleValue => unpickle(bytes, { where: 'test' }).value;

const refusal = (bytes: Uint8Array, code: ErrorCode): SoftshardError => {
  try {
    load(bytes);
  } catch (error) {
    assert.ok(isSoftshardError(error, code), String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
};

describe('unpickle', () => {
  PICKLE_SAMPLES.forEach((sample, protocol) => {
    test(`reads what Python writes in protocol ${protocol}`, () => {
      const dict = load(Buffer.from(sample, 'base64'));
      assert.ok(dict instanceof Map);
      assert.deepEqual(dict.get('ints'), [
        ...[0, 1, -2, 255, 256, 65535, 65536, -(2 ** 31), 2 ** 31, 2 ** 40],
        ...[-(2n ** 53n), 2n ** 70n, -(2n ** 70n)],
      ]);
      const tuples = dict.get('tuples');
      assert.ok(Array.isArray(tuples));
      assert.deepEqual(
        tuples.map((t) => (t instanceof PickleTuple ? t.items : t)),
        [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]],
      );
      assert.deepEqual(dict.get('floats'), [1.5, -0.1, 1e300, Infinity]);
      assert.deepEqual(dict.get('text'), ['', 'a', 'ünï € 😀\\u0041\n']);
      assert.deepEqual(dict.get('bytes'), Uint8Array.of(0, 255));
      assert.equal(dict.get('none'), null);
      assert.deepEqual(dict.get('flags'), [true, false]);
      assert.deepEqual(dict.get('set'), new Set([1]));
      assert.deepEqual(dict.get('frozen'), new Set([2]));
      const shared = dict.get('shared');
      assert.ok(Array.isArray(shared) && shared[0] === shared[1]);
      assert.deepEqual(dict.get('dict'), new Map<PickleValue, PickleValue>([[1, 'x'], ['k', new Map()]])); // prettier-ignore
    });
  });

  test('returns the offset after STOP, and starts where it is told', () => {
    const bytes = assemble('....', PROTO2, 'K\x07.', 'rest');
    assert.deepEqual(unpickle(bytes, { where: 'test', start: 4 }), { value: 7, end: 9 });
  });

  test('records instances of module classes without behaviour', () => {
    const fields = `}(${text('training')}\x89${text('inplace')}\x88u`;
    const record = load(assemble(PROTO2, `ctorch.nn.modules.activation\nSiLU\n)\x81${fields}b.`));
    assert.ok(record instanceof PickleRecord);
    assert.equal(record.className, 'torch.nn.modules.activation.SiLU');
    assert.equal(record.field('training'), false);
    assert.equal(record.field('inplace'), true);
  });

  test('reads NumPy scalars and skips NumPy arrays', () => {
    const dtype = `cnumpy\ndtype\n(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`;
    const scalar = `cnumpy.core.multiarray\nscalar\n(${dtype}C\x08\x00\x00\x00\x00\x00\x00\xf8\x3ftR`;
    assert.equal(load(assemble(PROTO2, scalar, '.')), 1.5);
    const flag = scalar.replace('U\x02f8', 'U\x02b1').slice(0, -11);
    assert.ok(load(assemble(PROTO2, flag, '\x01\x01tR.')) instanceof NumpyArray);
    const array = `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01K\x01\x85${dtype}\x89C\x00tb`;
    load(assemble(PROTO2, array, '.'));
  });
});

describe('what a pickle may not do', () => {
  const marker = join(tmpdir(), `executed-${process.pid}`);
  const command = text(`touch ${marker}`);
  const foreign: [string, string, string][] = [
    ['posix.system', `cposix\nsystem\n${command}\x85R.`, 'posix.system'],
    ['os.system through STACK_GLOBAL', `${text('os')}${text('system')}\x93${command}\x85R.`, 'os.system'],
    ['builtins.eval', `cbuiltins\neval\n${text('1')}\x85R.`, 'builtins.eval'],
    [
      'a name beside an allowed one',
      `ctorch._utils\n_rebuild_anything\n)R.`,
      'torch._utils._rebuild_anything',
    ],
    [
      'a module that only begins like an allowed one',
      'cmodels.common_evil\nConv\n.',
      'models.common_evil.Conv',
    ],
    ['a dotted name in an allowed module', 'cmodels.common\nos.system\n.', 'models.common.os.system'],
    ['a prototype member', 'c__proto__\nconstructor\n.', '__proto__.constructor'],
  ];
  for (const [title, opcodes, name] of foreign) {
    test(`${title} is named, with its offset, and not executed`, () => {
      const error = refusal(assemble(PROTO2, opcodes), 'E_WEIGHTS_UNSAFE');
      assert.equal(error.detail.found, name);
      assert.match(error.detail.where ?? '', /^test, byte \d+$/);
      assert.ok(!existsSync(marker));
    });
  }

  test('the offset is that of the opcode', () => {
    const error = refusal(assemble(PROTO2, 'K\x01', 'cos\nsystem\n.'), 'E_WEIGHTS_UNSAFE');
    assert.equal(error.detail.where, 'test, byte 4');
  });

  const calls: [string, string][] = [
    ['a recorded class', 'cmodels.common\nConv\n)R.'],
    ['a storage class', 'ctorch\nFloatStorage\n)R.'],
    ['a text', `${text('os.system')})R.`],
    ['a record', 'cmodels.common\nConv\n)\x81)R.'],
    ['NEWOBJ of a constructor', 'ccollections\nOrderedDict\n)\x81.'],
    ['NEWOBJ of a list', '])\x81.'],
  ];
  for (const [title, opcodes] of calls) {
    test(`calling is refused: ${title}`, () => {
      refusal(assemble(PROTO2, opcodes), 'E_WEIGHTS_UNSAFE');
    });
  }

  const malformed: [string, string][] = [
    ['an empty file', ''],
    ['no STOP', 'K\x01'],
    ['an empty stack', '.'],
    ['a mark that is not there', 't.'],
    ['reaching below a mark', 'K\x01(\x85.'],
    ['a memo that is not there', 'h\x05.'],
    ['an odd number of dict values', '}(K\x01u.'],
    ['appending to a dict', '}K\x01a.'],
    ['an unknown opcode', '\xff.'],
    ['an extension code', '\x82\x01.'],
    ['a persistent id without storages', 'K\x01Q.'],
    ['a text longer than the file', 'X\xff\xff\xff\xffabc.'],
    ['a text of 2^63 bytes', '\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.'],
    ['a negative length', 'T\xff\xff\xff\xffabc.'],
    ['a huge integer', `\x8b\x00\x00\x00\x10.`],
    ['a malformed integer', 'Ix\n.'],
    ['a malformed number', 'F1..\n.'],
    ['state for a number', 'K\x01}b.'],
    ['arguments that are no tuple', 'ccollections\nOrderedDict\n]R.'],
    ['arguments that do not fit', 'ctorch._utils\n_rebuild_tensor_v2\n)R.'],
  ];
  for (const [title, opcodes] of malformed) {
    test(`malformed: ${title}`, () => {
      refusal(assemble(opcodes), 'E_WEIGHTS_FORMAT');
    });
  }

  test('bounds hold: stack, marks, memo, work', () => {
    const { depth, work } = PICKLE_LIMITS;
    refusal(Buffer.alloc(depth + 10, ']'), 'E_WEIGHTS_FORMAT');
    refusal(Buffer.alloc(depth + 10, '('), 'E_WEIGHTS_FORMAT');
    refusal(Buffer.alloc(work + 10, '}0'), 'E_WEIGHTS_FORMAT');
    const limits = { ...PICKLE_LIMITS, memo: 3, bytes: 20 };
    const memo = assemble('Kaq\x00q\x01q\x02q\x03.');
    assert.throws(() => unpickle(memo, { where: 'test', limits }), SoftshardError);
    const long = assemble(text('x'.repeat(40)), '.');
    assert.throws(() => unpickle(long, { where: 'test', limits }), SoftshardError);
  });

  test('copying a shared list again and again is counted as work', () => {
    const pairs = `](${`${text('k')}K\x01\x86`.repeat(1000)}eq\x01`;
    const copies = 'ccollections\nOrderedDict\nh\x01\x85R0'.repeat(20_000);
    refusal(assemble(PROTO2, pairs, '0', copies, 'N.'), 'E_WEIGHTS_FORMAT');
  });

  test('any bytes either load or are refused', () => {
    const opcodes = fc.constantFrom(
      ...Buffer.from('(.0KNX)t]aeq}suhcRbQ2'),
      ...[0, 1, 2, 0x80, 0x81, 0x85, 0x86, 0x88, 0x8a, 0x8f, 0x90, 0x91, 0x93, 0x94, 0x95],
    );
    const start = fc.constantFrom('', PROTO2, PROTO2 + ORDERED_DICT, 'cmodels.common\nConv\n)\x81');
    fc.assert(
      fc.property(start, fc.array(opcodes, { maxLength: 40 }), (head, body) => {
        try {
          load(assemble(head, body, '.'));
        } catch (error) {
          assert.ok(error instanceof SoftshardError, String(error));
        }
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});

describe('plainValue', () => {
  test('turns tuples and dicts into arrays and objects', () => {
    const pickle = assemble(PROTO2, `}(${text('nc')}K\x03${text('__proto__')}(K\x01${int(2)}tK\x05Nu.`);
    const plain = plainValue(load(pickle), 'test');
    assert.deepEqual(Object.entries(plain ?? {}), [['5', null], ['nc', 3], ['__proto__', [1, 2]]]); // prettier-ignore
  });

  test('refuses cycles, explosions and instances', () => {
    const cycle = assemble(PROTO2, ']q\x00h\x00a.');
    const levels = Array.from({ length: 40 }, (_, i) => `](${`h${String.fromCharCode(i)}`.repeat(2)}eq${String.fromCharCode(i + 1)}`); // prettier-ignore
    const explosion = assemble(PROTO2, ']q\x00', ...levels, '.');
    const instance = assemble(PROTO2, 'cmodels.common\nConv\n)\x81.');
    for (const bytes of [cycle, explosion, instance]) {
      assert.throws(
        () => plainValue(load(bytes), 'test'),
        (error) => isSoftshardError(error, 'E_WEIGHTS_FORMAT'),
      );
    }
  });
});
