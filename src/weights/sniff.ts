/** Tells the format of a weight file from its first bytes. */
import { SoftshardError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { isDarknet } from './darknet.ts';
import { LEGACY_PREFIX } from './pt-legacy.ts';

const HEAD_BYTES = 512;

interface Impostor {
  readonly what: string;
  /** Whether a file that begins with these bytes (as latin-1 text) is one. */
  readonly matches: (head: string) => boolean;
  readonly remedy: string;
}

const begins =
  (...prefixes: readonly string[]): Impostor['matches'] =>
  (head) =>
    prefixes.some((prefix) => head.startsWith(prefix));

/** Text after an optional byte order mark and white space. */
const markup =
  (pattern: RegExp): Impostor['matches'] =>
  (head) =>
    pattern.test(head.replace(/^\u00ef\u00bb\u00bf/, '').trimStart());

/** What is often found where weights should be, and what to do about it. */
const IMPOSTORS: readonly Impostor[] = [
  {
    what: 'a Git LFS pointer',
    matches: begins('version https://git-lfs.github.com/spec/'),
    remedy: 'Fetch the file that it stands for: git lfs pull.',
  },
  {
    what: 'an HTML page',
    matches: markup(/^<(!doctype\s+html|html|head|!--)/i),
    remedy: 'The download went wrong: fetch the file itself rather than the page about it.',
  },
  {
    what: 'an XML text, such as a storage service’s error message',
    matches: markup(/^<\?xml/i),
    remedy: 'The download went wrong: look into the file for the reason.',
  },
  {
    what: 'a tar archive',
    matches: (head) => head.startsWith('ustar', 257),
    remedy: 'Unpack it; a checkpoint of PyTorch 0.1 must be saved again with a newer one.',
  },
  { what: 'a gzip archive', matches: begins('\u001f\u008b'), remedy: 'Unpack it first.' },
  { what: 'an empty zip archive', matches: begins('PK\u0005\u0006'), remedy: 'Fetch the file again.' },
  { what: 'an HDF5 file', matches: begins('\u0089HDF'), remedy: 'Convert it to safetensors.' },
  { what: 'a NumPy array', matches: begins('\u0093NUMPY'), remedy: 'Convert it to safetensors.' },
  {
    what: 'a pickle that torch.save did not write',
    matches: begins('\u0080\u0002', '\u0080\u0003', '\u0080\u0004', '\u0080\u0005'),
    remedy: 'Save the weights with torch.save or as safetensors.',
  },
];

/** Safetensors: a header length that leaves room for the header, which is a JSON object. */
const isSafetensors = (head: Buffer): boolean =>
  head.byteLength >= 10 && head.readBigUInt64LE() < 2n ** 32n && head[8] === 0x7b;

/** `pt`, `safetensors` or `darknet`. Throws E_WEIGHTS_FORMAT, saying what the file seems to be instead. */
export async function sniffWeights(source: ByteSource): Promise<'pt' | 'safetensors' | 'darknet'> {
  const head = Buffer.from(await source.read(0, Math.min(HEAD_BYTES, source.size)));
  const text = head.toString('latin1');
  if (text.startsWith('PK\u0003\u0004') || head.indexOf(LEGACY_PREFIX) === 0) return 'pt';
  if (isSafetensors(head)) return 'safetensors';
  if (isDarknet(head)) return 'darknet';
  const impostor = IMPOSTORS.find(({ matches }) => matches(text));
  const empty = source.size === 0;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'A weight file has no format that Softshard knows.',
    where: source.name,
    expected: 'a PyTorch file (.pt), a safetensors file, or a darknet one (.weights)',
    found: empty ? 'an empty file' : (impostor?.what ?? `bytes ${head.subarray(0, 8).toString('hex')}`),
    remedy: empty ? 'Fetch the file again.' : (impostor?.remedy ?? 'Check the path.'),
  });
}
