import { parseArgs } from 'node:util';
import { toDecimalText } from '../../domain/money.ts';
import { takePayment, type DemoResult } from './demo/take-payment.ts';
import { findRunningStack, type DevFile } from './dev-file.ts';
import { readOrMakeMasterKey } from './development-secrets.ts';
import { startStack, type Stack } from './stack.ts';

/** `npm run demo` takes one payment on the running stack, or on one that it starts for this purpose. It exits with 0 only if every step succeeds. */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    directory: { type: 'string', default: '.lenden' },
  },
});
// With --json, only the last line goes to stdout, for programs. The progress goes to stderr.
const tell = (line: string): void => (values.json ? console.error(line) : console.log(line));

let own: Stack | undefined;
try {
  const dev = (await findRunningStack(values.directory)) ?? (await startOwn());
  const masterKey = process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(values.directory);
  report(await takePayment(dev, masterKey, tell));
} catch (error) {
  console.error(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await own?.stop();
}

async function startOwn(): Promise<DevFile> {
  tell('No stack is running; starting one for this demo.');
  own = await startStack({ directory: values.directory, ports: 'default', environment: process.env, say: tell });
  return own.dev;
}

function report(result: DemoResult): void {
  tell('Ledger:');
  for (const { debit, credit, amountMinor, currency } of result.postings) {
    tell(
      `  debit ${debit.padEnd(28)} credit ${credit.padEnd(28)} ${toDecimalText({ amountMinor: BigInt(amountMinor), currency })} ${currency}`,
    );
  }
  tell(`Workflow: ${result.workflowUrl}${own === undefined ? '' : '  (after npm start)'}`);
  if (values.json) {
    console.log(JSON.stringify(result));
  }
}
