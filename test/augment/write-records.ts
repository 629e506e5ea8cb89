/** As a script: prints COUNT views of the bank as JSON lines {record, digest, labels}. */
import { encodeView } from '../../src/augment/view-codec.ts';
import { bankView, see } from './view-bank.ts';

const count = Number(process.argv[2]);
for (let i = 0; i < count; i++) {
  const record = bankView(i);
  const { digest, labels } = await see(record);
  process.stdout.write(`${JSON.stringify({ record: encodeView(record), digest, labels })}\n`);
}
