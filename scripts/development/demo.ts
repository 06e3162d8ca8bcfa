import { parseArgs } from 'node:util';
import { toDecimalText } from '../../domain/money.ts';
import { takePayment, type DemoResult } from './demo/take-payment.ts';
import { findRunningStack, type DevFile } from './dev-file.ts';
import { readOrMakeMasterKey } from './development-secrets.ts';
import { startStack, type Stack } from './stack.ts';

const USAGE = `npm run demo -- [--json] [--directory DIR]

Takes one payment at a gateway simulator, as an application and its payer would, and prints what the ledger has of it. It uses the stack that runs, or
starts one for itself.
  --json           one line of JSON on stdout; the progress goes to stderr
  --directory DIR  data directory of the stack (default .lenden)
Exit: 0 every step succeeded, 1 one failed, 2 the command was not understood.`;

/** `npm run demo` takes one payment on the running stack, or on one that it starts for this purpose. It exits with 0 only if every step succeeds. */
const values = understood();
// With --json, only the last line goes to stdout, for programs. The progress goes to stderr.
const tell = (line: string): void => (values?.json === true ? console.error(line) : console.log(line));

let own: Stack | undefined;
if (values !== undefined) {
  await demonstrate(values.directory);
}

/** Returns undefined if there is nothing to do: the usage was asked for, or the command was not understood. */
function understood() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        directory: { type: 'string', default: '.lenden' },
        help: { type: 'boolean', default: false },
      },
    });
    if (!values.help) {
      return values;
    }
    console.log(USAGE);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
  }
  return undefined;
}

async function demonstrate(directory: string): Promise<void> {
  try {
    const dev = (await findRunningStack(directory)) ?? (await startOwn(directory));
    const masterKey = process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(directory);
    report(await takePayment(dev, masterKey, tell));
  } catch (error) {
    console.error(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    await own?.stop();
  }
}

async function startOwn(directory: string): Promise<DevFile> {
  tell('No stack is running; starting one for this demo.');
  own = await startStack({ directory, ports: 'default', environment: process.env, say: tell });
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
  if (values?.json === true) {
    console.log(JSON.stringify(result));
  }
}
